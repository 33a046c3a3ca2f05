import { encodeBase64Url, encodeUtf8 } from '../bytes/index.ts'
import { sha256 } from '../ciphers/index.ts'
import { configError } from '../checks/index.ts'
import type { RetireSettings } from './retire-options.ts'
import { versionName } from './staleness.ts'
import type { StateFile, StoredState } from './state-file.ts'
import type { StepSettings } from './step-options.ts'

/** Before it the clock of a machine is not set; wraps from then are refused as well. */
const EARLIEST_MS = Date.UTC(2020, 0)

/** What is known of a retirement between two calls. */
export interface RetirementRecord {
  readonly version: 1
  readonly kek: string
  /** Names of the sources: another list is another census. */
  readonly sources: readonly string[]
  /** The latest time at which a call was made. */
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
 * @throws KmsError `ERR_KMS_CONFIG` for a clock that is not set
 */
export async function readRecord(
  file: StateFile,
  { runtime, sources }: Pick<StepSettings, 'runtime' | 'sources'>,
  { version, signal }: RetireSettings,
): Promise<HeldRecord> {
  const atMs = runtime.now()
  if (!(atMs >= EARLIEST_MS)) throw configError('the clock is wrong: it must be 2020 or later')
  const kek = versionName(version)
  const name = `retire-${encodeBase64Url(await sha256(encodeUtf8(kek)))}`
  const found = await file.read<RetirementRecord>(name, signal)
  const fresh = { version: 1, kek, sources: sources.map((one) => one.name), atMs } as const
  const known = found.value
  const isSame =
    known?.version === 1 &&
    known.kek === kek &&
    String(known.sources) === String(fresh.sources) &&
    known.atMs <= atMs
  return { name, found, record: isSame ? { ...known, atMs } : fresh }
}

/** Returns a record from which the waiting begins anew. */
export function restarted({ version, kek, sources, atMs }: RetirementRecord): RetirementRecord {
  return { version, kek, sources, atMs }
}
