import { integer, oneOf, plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import type { KekVersion } from '../../kms/index.ts'
import { versionName } from '../staleness.ts'

/**
 * When a schedule rotates. Both policies rewrap what is stored once another version is current.
 * - `maxAgeMs`: the schedule makes a new version once the current one has this age, an hour to ten years. The age
 *   counts from the first run that saw the version. The state store keeps that time for 366 days after the last run;
 *   if it is lost, the age starts again.
 * - `version: 'changed'`: the schedule does not make versions, and follows the vendor's own rotation.
 */
export type RotationPolicy = { readonly maxAgeMs: number } | { readonly version: 'changed' }

/** The memory of a schedule between two runs. */
export interface ScheduleRecord {
  readonly version: 1
  /** The current versions, as one text. */
  readonly keks: string
  /** Since when they are current, as far as the schedule has seen. */
  readonly sinceMs: number
  /** The versions that everything is under, since the last job that finished. */
  readonly done?: string
}

const HOUR_MS = 3_600_000

/** Returns the age from which on the KEK is rotated; Infinity: never. @throws KmsError `ERR_KMS_CONFIG` */
export function maxAgeOf(policy: RotationPolicy): number {
  if (Object(policy) !== policy)
    throw wrongOption('policy', "{ maxAgeMs } or { version: 'changed' }", policy)
  const { maxAgeMs, version, ...others } = plainOptions(policy, 'policy') as {
    readonly maxAgeMs?: number
    readonly version?: 'changed'
  }
  refuseOthers(others)
  if ((maxAgeMs === undefined) === (version === undefined))
    throw wrongOption('policy', "either { maxAgeMs } or { version: 'changed' }")
  if (maxAgeMs !== undefined)
    return integer('policy.maxAgeMs', maxAgeMs, HOUR_MS, 10 * 365 * 24 * HOUR_MS)
  oneOf('policy.version', version as 'changed', ['changed'])
  return Infinity
}

/** Returns what is known, with the versions that are current now. A clock that went back begins to count anew. */
export function recordOf(
  known: ScheduleRecord | undefined,
  current: readonly KekVersion[],
  nowMs: number,
): ScheduleRecord {
  const keks = textOf(current)
  const isSame = known?.version === 1 && known.keks === keks && known.sinceMs <= nowMs
  if (isSame) return known
  return {
    version: 1,
    keks,
    sinceMs: nowMs,
    ...(known?.done !== undefined && { done: known.done }),
  }
}

/** Returns versions as one text, in whatever order they came. */
export function textOf(versions: readonly KekVersion[]): string {
  return versions.map(versionName).sort().join('\n')
}
