import { decodeBase64Url } from '../bytes/index.ts'
import { verifyCheckpoint } from '../ciphers/index.ts'
import type { AuditCheckpoint, AuditRecord } from './audit-event.ts'
import { auditHash, checkpointBytes, GENESIS, isWholeEvent } from './audit-hash.ts'

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
      readonly writer: string
      /** The place in the writer's chain. For `forked` by a checkpoint: the last place that it covers. */
      readonly seq: number
    }

/** Options of {@link verifyAuditLog}. */
export interface VerifyAuditOptions {
  /** Checkpoints, from where whoever can change the log cannot change them. */
  readonly checkpoints?: readonly AuditCheckpoint[] | undefined
  /** The key that they must be signed with: ECDSA over P-256. */
  readonly publicKey?: CryptoKey | undefined
  /**
   * By how many places a record may come late. Calls that run at the same time are written at the
   * same time; 0, the default, is for a log that was sorted by writer and place.
   */
  readonly slack?: number | undefined
}

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
 * @throws TypeError if there are checkpoints and no key to check them
 */
export async function verifyAuditLog(
  records: Iterable<AuditRecord> | AsyncIterable<AuditRecord>,
  options: VerifyAuditOptions = {},
): Promise<AuditVerdict> {
  const { checkpoints = [], publicKey, slack = 0 } = options
  const chains = new Map<string, Chain>()
  for await (const record of records) {
    if (!isRecord(record)) return problemAt('malformed', record)
    if (!isWholeEvent(record.event) || (await auditHash(record)) !== record.hash)
      return problemAt('edited', record)
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

async function againstCheckpoints(
  chains: ReadonlyMap<string, Chain>,
  checkpoints: readonly AuditCheckpoint[],
  publicKey: CryptoKey | undefined,
): Promise<AuditVerdict> {
  if (checkpoints.length > 0 && publicKey === undefined)
    throw new TypeError('checkpoints need a public key')
  const inOrder = [...checkpoints].sort((a, b) => a.size - b.size)
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

/** The log is text of whoever had it: nothing is taken for granted. */
function isRecord(record: unknown): record is AuditRecord {
  const { v, writer, seq, prev, hash, event } = Object(record) as Record<string, unknown>
  const isHash = (text: unknown): boolean => typeof text === 'string' && /^[\w-]{43}$/.test(text)
  return (
    v === 1 &&
    typeof writer === 'string' &&
    /^[\w-]{22}$/.test(writer) &&
    Number.isSafeInteger(seq) &&
    (seq as number) >= 0 &&
    isHash(prev) &&
    isHash(hash) &&
    typeof event === 'object' &&
    event !== null &&
    Object.keys(Object(record) as object).length === 6
  )
}

function problemAt(problem: AuditProblem, record: unknown): AuditVerdict {
  const { writer, seq } = Object(record) as Partial<AuditRecord>
  return { ok: false, problem, writer: writer ?? '', seq: seq ?? -1 }
}
