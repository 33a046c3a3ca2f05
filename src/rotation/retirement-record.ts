import { encodeBase64Url, encodeUtf8 } from '../bytes/index.ts'
import { sha256 } from '../ciphers/index.ts'
import { configError } from '../checks/index.ts'
import type { RetireSettings } from './retire-options.ts'
import { versionName } from './staleness.ts'
import type { StateFile, StoredState } from './state-file.ts'
import type { StepSettings } from './step-options.ts'

/** 2020-01-01: before it the clock of a machine is not set. */
const EARLIEST_MS = 1_577_836_800_000
/** How far the clocks of two machines may be apart. */
const SKEW_MS = 300_000

/** The memory of a retirement between two calls. */
export interface RetirementRecord {
  readonly version: 1
  readonly kek: string
  /** Names of the sources: another list is another census. */
  readonly sources: readonly string[]
  /** When the last call was made. */
  readonly atMs: number
  /** When the first census began that found no reference, and since which none found one. */
  readonly zeroSinceMs?: number
  /** The last use that the vendor had seen then, by its own clock; 0: none. */
  readonly usedAtMs?: number
  /** When the version was first seen to be disabled, and since when it always was. */
  readonly disabledAtMs?: number
  /** Its destruction was scheduled here. */
  readonly isScheduled?: true
}

/** A record with its place in the state store. */
export interface HeldRecord {
  readonly name: string
  readonly found: StoredState<unknown>
  readonly record: RetirementRecord
}

/**
 * Returns the record of a retirement, or a new one: where there is none, the sources are others, or the clock went
 * back, so that its times mean nothing.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a clock that is not set, or is behind the times of the rotation's job
 */
export async function readRecord(
  file: StateFile,
  job: string,
  { runtime, sources }: Pick<StepSettings, 'runtime' | 'sources'>,
  { version, signal }: RetireSettings,
): Promise<HeldRecord> {
  const atMs = runtime.now()
  const ran = await file.read<{ readonly updatedAtMs?: number }>(`job-${job}`, signal)
  const leastMs = Math.max(EARLIEST_MS, (ran.value?.updatedAtMs ?? 0) - SKEW_MS)
  if (!(atMs >= leastMs))
    throw configError('the clock is wrong: it is before 2020, or behind the end of the rotation')
  const kek = versionName(version)
  const name = `retire-${encodeBase64Url(await sha256(encodeUtf8(kek)))}`
  const found = await file.read<RetirementRecord>(name, signal)
  const fresh = { version: 1, kek, sources: sources.map((one) => one.name), atMs } as const
  const isSame = found.value !== undefined && isRecordOf(fresh, found.value)
  return { name, found, record: isSame ? { ...knownOf(found.value, atMs), ...fresh } : fresh }
}

/**
 * Returns the fields of a stored record that can be true. An invalid time, or one in the future, is left out: the
 * wait that it ends begins anew, and is neither over at once nor endless.
 */
function knownOf(
  { zeroSinceMs, usedAtMs, disabledAtMs, isScheduled }: RetirementRecord,
  nowMs: number,
): Partial<RetirementRecord> {
  return {
    ...(isTime(zeroSinceMs, nowMs) && { zeroSinceMs }),
    ...(isTime(usedAtMs, Number.MAX_SAFE_INTEGER) && { usedAtMs }), // by the vendor's clock
    ...(isTime(disabledAtMs, nowMs) && { disabledAtMs }),
    ...((isScheduled as unknown) === true && { isScheduled }),
  }
}

function isTime(ms: unknown, mostMs: number): ms is number {
  return typeof ms === 'number' && ms >= 0 && ms <= mostMs
}

function isRecordOf({ kek, sources, atMs }: RetirementRecord, known: RetirementRecord): boolean {
  if ((known.version as number) !== 1 || known.kek !== kek || known.atMs > atMs) return false
  return String(known.sources) === String(sources)
}

/** Returns a record from which the waiting begins anew. */
export function restarted({ version, kek, sources, atMs }: RetirementRecord): RetirementRecord {
  return { version, kek, sources, atMs }
}
