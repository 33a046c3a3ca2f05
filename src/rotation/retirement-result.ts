import type { RotationCensus } from './census.ts'

/** Findings of a census that forbid a retirement. */
export interface Objections {
  /** Values with a wrap under the version. */
  readonly references: number
  /** Values that do not open without the version, or whose KEK refused. */
  readonly unproven: number
  readonly corrupt: number
  /** Lower bound for the number of data keys that messages by reference refer to and that are in no source. */
  readonly dangling: number
  /** Sources without any envelope, e.g. a table with a wrong name. */
  readonly emptySources: readonly string[]
  readonly census: RotationCensus
}

/**
 * The result of a call to `retire`. Only `disabled` and `scheduled` changed something.
 *
 * - `referenced`: values refer to the version, or may refer to it: rotate first, or inspect them. If the `state` is
 *   `disabled`, they cannot be read: enable the version.
 * - `waiting`: no value refers to it, but it is too early for the next step. Call again after `untilMs`.
 * - `in-use`: the vendor saw the version used after the last reference was gone. The wait has begun anew.
 * - `disabled`: the version is disabled now. Watch for errors, then call again with `destroy: true`.
 * - `scheduled`: the vendor will destroy the version.
 * - `retired`: that was done before.
 */
export type RetirementResult =
  | ({ readonly status: 'referenced'; readonly state: 'enabled' | 'disabled' } & Objections)
  | { readonly status: 'waiting'; readonly step: 'disable' | 'destroy'; readonly untilMs: number }
  | { readonly status: 'in-use'; readonly lastUsedAtMs: number }
  | { readonly status: 'disabled' }
  | { readonly status: 'scheduled'; readonly destroyAtMs?: number }
  | { readonly status: 'retired' }
