import { decodeBase64Url } from '../bytes/index.ts'
import { verifyCheckpoint } from '../ciphers/index.ts'
import { refuseOthers, wrongOption } from '../checks/index.ts'
import type { AuditCheckpoint, AuditRecord } from './audit-event.ts'
import { auditHash, checkpointBytes, GENESIS, isWholeEvent } from './audit-hash.ts'
import { isCheckpoint, isCount, isEvent, isRecord, isWriter, plainCopy } from './audit-shape.ts'
import { isCheckpointKey } from './checkpoint-key.ts'

/** What is wrong with a log. */
export type AuditProblem =
  'malformed' | 'edited' | 'dropped' | 'reordered' | 'truncated' | 'forked' | 'bad-checkpoint'

/** A log that holds, or the first place at which it does not. */
export type AuditVerdict =
  | {
      readonly ok: true
      /** How many records each writer has. */
      readonly writers: ReadonlyMap<string, number>
    }
  | {
      readonly ok: false
      readonly problem: AuditProblem
      /** Empty where what is wrong names none. */
      readonly writer: string
      /**
       * The place in the writer's chain, -1 where what is wrong names none. For a checkpoint: the last
       * place that it covers.
       */
      readonly seq: number
    }

/** Options of {@link verifyAuditLog}. */
export interface VerifyAuditOptions {
  /** Checkpoints, from where whoever can change the log cannot change them. */
  readonly checkpoints?: readonly AuditCheckpoint[] | undefined
  /** The key that they must be signed with: ECDSA over P-256. Goes with `checkpoints` only. */
  readonly publicKey?: CryptoKey | undefined
  /**
   * By how many places a record may come late. Calls that run at the same time are written at the
   * same time; 0, the default, is for a log that was sorted by writer and place. At most 1,000,000.
   */
  readonly slack?: number | undefined
}

const MAX_SLACK = 1_000_000

interface Chain {
  /** The next place, and the hash before it. */
  next: number
  hash: string
  readonly hashes: string[]
  /** Records that came before their turn, and at which line of this writer. */
  readonly early: Map<number, { readonly record: AuditRecord; readonly line: number }>
  lines: number
}

/**
 * Checks a log against the chains in it and the checkpoints beside it. Refuses an event that was
 * edited, dropped, moved, cut off the end or told in two versions, and names the place. What comes
 * after the last checkpoint of a writer can be cut off unseen.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for an option that is none, and for checkpoints without the key to
 * check them or a key without checkpoints. Nothing that a log or a checkpoint holds throws.
 */
export async function verifyAuditLog(
  records: Iterable<AuditRecord> | AsyncIterable<AuditRecord>,
  options: VerifyAuditOptions = {},
): Promise<AuditVerdict> {
  const { checkpoints, publicKey, slack } = checked(options)
  const chains = new Map<string, Chain>()
  for await (const given of records) {
    const record = plainCopy(given)
    if (!isRecord(record)) return problemAt('malformed', record)
    if (!isWholeEvent(record.event) || (await auditHash(record)) !== record.hash)
      return problemAt('edited', record)
    if (!isEvent(record.event)) return problemAt('malformed', record)
    const chain = chainOf(chains, record.writer)
    const line = chain.lines++
    if (record.seq < chain.next || chain.early.has(record.seq)) {
      // Written twice is fine: the same record.
      const held = chain.hashes[record.seq] ?? chain.early.get(record.seq)?.record.hash
      if (held !== record.hash) return problemAt('forked', record)
      chain.lines--
      continue
    }
    chain.early.set(record.seq, { record, line })
    for (;;) {
      const turn = chain.early.get(chain.next)
      if (turn === undefined) break
      if (turn.record.prev !== chain.hash) return problemAt('forked', turn.record)
      if (line - turn.line > slack || turn.line > chain.next + slack)
        return problemAt('reordered', turn.record)
      chain.early.delete(chain.next)
      chain.hashes.push(turn.record.hash)
      chain.hash = turn.record.hash
      chain.next++
    }
  }
  for (const [writer, { next, early }] of chains)
    if (early.size > 0) return { ok: false, problem: 'dropped', writer, seq: next }
  return againstCheckpoints(chains, checkpoints, publicKey)
}

function checked(options: VerifyAuditOptions): Required<VerifyAuditOptions> & {
  readonly checkpoints: readonly AuditCheckpoint[]
  readonly slack: number
} {
  const { checkpoints, publicKey, slack = 0, ...others } = options
  refuseOthers(others)
  if (!isCount(slack) || slack > MAX_SLACK) throw wrongOption('slack')
  if (checkpoints !== undefined && !Array.isArray(checkpoints)) throw wrongOption('checkpoints')
  // One without the other would check nothing, in silence.
  if (checkpoints === undefined && publicKey !== undefined) throw wrongOption('checkpoints')
  const isKeyWanted = publicKey !== undefined || (checkpoints ?? []).length > 0
  if (isKeyWanted && !isCheckpointKey(publicKey, 'verify')) throw wrongOption('publicKey')
  return { checkpoints: checkpoints ?? [], publicKey, slack }
}

async function againstCheckpoints(
  chains: ReadonlyMap<string, Chain>,
  given: readonly AuditCheckpoint[],
  publicKey: CryptoKey | undefined,
): Promise<AuditVerdict> {
  const checkpoints: AuditCheckpoint[] = []
  for (const one of given) {
    const copy = plainCopy(one)
    if (isCheckpoint(copy)) checkpoints.push(copy)
    else {
      const size = copy?.['size']
      return problemAt('bad-checkpoint', { ...copy, seq: isCount(size) ? size - 1 : -1 })
    }
  }
  const inOrder = checkpoints.sort((a, b) => a.size - b.size)
  for (const checkpoint of inOrder) {
    const { writer, size, hash } = checkpoint
    const fail = (problem: AuditProblem, seq: number): AuditVerdict => {
      return { ok: false, problem, writer, seq }
    }
    const signature = decodeBase64Url(checkpoint.signature)
    const isSigned =
      signature !== undefined &&
      publicKey !== undefined &&
      (await verifyCheckpoint(publicKey, signature, checkpointBytes(checkpoint)))
    if (!isSigned) return fail('bad-checkpoint', size - 1)
    const { next, hashes } = chains.get(writer) ?? { next: 0, hashes: [] }
    if (next < size) return fail('truncated', next)
    if (hashes[size - 1] !== hash) return fail('forked', size - 1)
  }
  return { ok: true, writers: new Map([...chains].map(([writer, { next }]) => [writer, next])) }
}

function chainOf(chains: Map<string, Chain>, writer: string): Chain {
  const held = chains.get(writer)
  if (held !== undefined) return held
  const made = { next: 0, hash: GENESIS, hashes: [], early: new Map(), lines: 0 }
  chains.set(writer, made)
  return made
}

function problemAt(problem: AuditProblem, fields: unknown): AuditVerdict {
  const { writer, seq } = Object(fields) as { readonly writer?: unknown; readonly seq?: unknown }
  return {
    ok: false,
    problem,
    writer: isWriter(writer) ? writer : '',
    seq: isCount(seq) ? seq : -1,
  }
}
