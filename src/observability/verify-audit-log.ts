import { decodeBase64Url } from '../bytes/index.ts'
import { integer, plainOptions, refuseOthers, wrongOption } from '../checks/index.ts'
import { verifyCheckpoint } from '../ciphers/index.ts'
import { type AuditLogEntry, isCount, isWriter, readCheckpoint, readEntry } from './audit-entry.ts'
import { type AuditMacKey, isCheckpointKey, keyedDigest, plainDigest } from './audit-keys.ts'
import { type AuditCheckpoint, checkpointBytes } from './audit-record.ts'
import { type AuditProblem, type Digests, type WriterCoverage, WriterLog } from './writer-log.ts'

/** A range of records that is not proven to be complete. */
export interface AuditGap {
  readonly writer: string
  /** The first and the last place. */
  readonly from: number
  readonly to: number
  /** Whether `macKey` proves that these were not changed: then only further ones may have been cut off. */
  readonly isAuthentic: boolean
}

/** The verdict on a log. */
export interface AuditVerdict {
  /**
   * Whether the whole log is proven: it has no problem, gap or loss, and checkpoints or a list of writers name all
   * writers.
   */
  readonly ok: boolean
  /** Places where the log differs from what was written: the first of each writer, at most 1,000. */
  readonly problems: readonly AuditProblem[]
  /** Records that no checkpoint covers, for each writer. */
  readonly uncovered: readonly AuditGap[]
  /** How many events the writers say that they lost. */
  readonly lost: number
  readonly writers: ReadonlyMap<string, WriterCoverage>
}

/** Options of {@link verifyAuditLog}. */
export interface VerifyAuditOptions {
  /** All checkpoints, from a place that an attacker who can change the log cannot change. */
  readonly checkpoints?: readonly AuditCheckpoint[] | undefined
  /** The key that they must be signed with: ECDSA over P-256. Required with `checkpoints`, refused without. */
  readonly publicKey?: CryptoKey | undefined
  /** The key of the trail's `chain.macKey`: each record must be authentic. */
  readonly macKey?: AuditMacKey | undefined
  /** The writers that the log must have, all and no others. */
  readonly writers?: readonly string[] | undefined
  /**
   * By how many places a record may arrive late, 0 to 1,000,000; 0 by default, which fits a log that is sorted by
   * writer and place. A queue may need more.
   */
  readonly slack?: number | undefined
}

const MAX_PROBLEMS = 1_000

/**
 * Verifies a log and returns the verdict on it and on each writer. It reports records that were edited, dropped,
 * moved, cut off or written in two versions, writers that are missing or invented, and records that no checkpoint
 * covers. It keeps two hashes of each record in memory.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for options that are not valid. Nothing that a log or a checkpoint holds throws.
 *
 * @example
 * ```ts
 * import { type AuditCheckpoint, verifyAuditLog } from 'edge-kms/observability'
 *
 * export async function check(lines: string[], checkpoints: AuditCheckpoint[], publicKey: CryptoKey) {
 *   const { ok, problems, uncovered } = await verifyAuditLog(lines, { checkpoints, publicKey })
 *   if (!ok) console.error(problems, uncovered)
 * }
 * ```
 */
export async function verifyAuditLog(
  log: Iterable<AuditLogEntry> | AsyncIterable<AuditLogEntry>,
  options: VerifyAuditOptions = {},
): Promise<AuditVerdict> {
  const { checkpoints, publicKey, digests, writers, slack } = checked(options)
  const logs = new Map<string, WriterLog>()
  const logOf = (writer: string): WriterLog => {
    const held = logs.get(writer) ?? new WriterLog(writer, digests)
    logs.set(writer, held)
    return held
  }
  const problems: AuditProblem[] = []
  for await (const entry of log) {
    const result = readEntry(entry)
    if ('record' in result) await logOf(result.record.writer).add(result.record)
    else if (result.writer !== '' && result.seq >= 0)
      logOf(result.writer).note(result.kind, result.seq)
    else if (problems.length < MAX_PROBLEMS) problems.push(result)
  }
  for (const one of logs.values()) one.close(slack)
  const { signed, bad } = await signedOf(checkpoints ?? [], publicKey)
  for (const checkpoint of signed) logOf(checkpoint.writer).compare(checkpoint)
  for (const writer of writers ?? [])
    if (logOf(writer).coverage.records === 0) logOf(writer).note('missing-writer', 0)
  if (writers !== undefined)
    for (const one of logs.values())
      if (!writers.includes(one.writer)) one.note('unknown-writer', -1)
  problems.push(...bad, ...[...logs.values()].flatMap(({ problem }) => problem ?? []))
  return verdictOf(logs, problems, checkpoints !== undefined || writers !== undefined)
}

function verdictOf(
  logs: ReadonlyMap<string, WriterLog>,
  problems: readonly AuditProblem[],
  isAnchored: boolean,
): AuditVerdict {
  const writers = new Map([...logs].map(([writer, log]) => [writer, log.coverage]))
  const uncovered = [...writers].flatMap(([writer, { records, covered, isAuthentic }]) => {
    return covered < records ? [{ writer, from: covered, to: records - 1, isAuthentic }] : []
  })
  const lost = [...writers.values()].reduce((sum, one) => sum + one.lost, 0)
  const ok = isAnchored && problems.length === 0 && uncovered.length === 0 && lost === 0
  return { ok, problems: problems.slice(0, MAX_PROBLEMS), uncovered, lost, writers }
}

function checked(options: VerifyAuditOptions): Omit<VerifyAuditOptions, 'macKey' | 'slack'> & {
  readonly digests: Digests
  readonly slack: number
} {
  const { checkpoints, publicKey, macKey, writers, slack = 0, ...others } = plainOptions(options)
  refuseOthers(others)
  integer('slack', slack, 0, 1_000_000)
  if (checkpoints !== undefined && !Array.isArray(checkpoints))
    throw wrongOption('checkpoints', 'an array of checkpoints', checkpoints)
  // One without the other would check nothing, in silence.
  if (checkpoints === undefined && publicKey !== undefined)
    throw wrongOption('checkpoints', 'given together with publicKey')
  if (checkpoints !== undefined && !isCheckpointKey(publicKey, 'verify'))
    throw wrongOption('publicKey', 'a public ECDSA P-256 key with usage "verify"')
  if (writers !== undefined && !(Array.isArray(writers) && writers.every(isWriter)))
    throw wrongOption('writers', 'an array of writers, 22 characters of base64url each')
  const digests = {
    plain: plainDigest,
    keyed: macKey === undefined ? undefined : keyedDigest('macKey', macKey),
    isLinkDemanded: macKey !== undefined || checkpoints !== undefined,
  }
  return { checkpoints, publicKey, digests, writers, slack }
}

/** The checkpoints with a valid signature, the smallest first, and the invalid ones. */
async function signedOf(
  given: readonly unknown[],
  publicKey: CryptoKey | undefined,
): Promise<{ readonly signed: readonly AuditCheckpoint[]; readonly bad: readonly AuditProblem[] }> {
  const signed: AuditCheckpoint[] = []
  const bad: AuditProblem[] = []
  for (const one of given) {
    const checkpoint = readCheckpoint(one)
    if (checkpoint !== undefined && (await isSigned(checkpoint, publicKey))) signed.push(checkpoint)
    else bad.push({ kind: 'bad-checkpoint', ...placeOf(one) })
  }
  return { signed: signed.sort((a, b) => a.size - b.size), bad }
}

async function isSigned(
  checkpoint: AuditCheckpoint,
  publicKey: CryptoKey | undefined,
): Promise<boolean> {
  const signature = decodeBase64Url(checkpoint.signature)
  if (signature === undefined || publicKey === undefined) return false
  return verifyCheckpoint(publicKey, signature, checkpointBytes(checkpoint))
}

function placeOf(given: unknown): Pick<AuditProblem, 'writer' | 'seq'> {
  try {
    const { writer, size } = Object(given) as Partial<AuditCheckpoint>
    return { writer: isWriter(writer) ? writer : '', seq: isCount(size) ? size - 1 : -1 }
  } catch {
    return { writer: '', seq: -1 }
  }
}
