import type { KekVersion } from '../kms/index.ts'
import type { CursorMark } from './cursor-mark.ts'

/**
 * Everything that a rotation has to remember between two steps. Plain JSON of at most 64 KiB, whatever the number
 * of records: hand it to any engine that keeps a value between steps. It holds no secret and no message.
 */
export interface RotationState {
  readonly version: 1
  /** Names the job in logs and failures. */
  readonly job: string
  readonly phase: RotationPhase
  /**
   * The KEK versions that were current at the last step; empty if the context selects the KEK. If they change, each
   * source is swept again.
   */
  readonly target: readonly KekVersion[]
  readonly startedAtMs: number
  readonly updatedAtMs: number
  readonly sources: readonly SourceState[]
  /** Counts of the whole job: sums of those of its sources. */
  readonly counts: RotationCounts
  /** The first failures, at most 20; all of them went to the failure sink. */
  readonly samples: readonly RotationFailure[]
  /**
   * Hashes of values that failed, at most 1,000: later sweeps skip such a value until its bytes change. Once the list
   * is full, a value that fails is tried, and counted, in each sweep.
   */
  readonly quarantine: readonly string[]
  /** Failures that a call of `resume` accepted: they do not count for the threshold. */
  readonly forgiven: number
}

/**
 * `running`: call the step again. `paused`: `pause` was called. `stopped`: more values failed than the threshold
 * allows. `finished`: a whole sweep of each source found nothing left to do.
 */
export type RotationPhase = 'running' | 'paused' | 'stopped' | 'finished'

/** The progress of a job in one source. */
export interface SourceState {
  readonly name: string
  /**
   * Number of the current walk through the source, from 1. After a sweep that changed something, another one follows.
   */
  readonly sweep: number
  readonly cursor?: string
  /** A cursor of some pages ago: if it occurs again, the source walks in a circle. */
  readonly mark?: CursorMark
  readonly done: boolean
  /** Whether this sweep rewrapped a value, or lost a race for one. */
  readonly changed: boolean
  /**
   * Steps in a row that an outage ended at this cursor. After five of them the sweep continues after the page, if the
   * page could be read. If the context selects the KEK, it continues at once: one customer's outage must not stop the
   * others.
   */
  readonly stalls: number
  /** Values of the page at this cursor that earlier steps counted as `done`, before an outage ended them. */
  readonly doneHere: number
  readonly counts: RotationCounts
  /** Sum of keyed fingerprints of what must not change, over this sweep so far, if the job has a fingerprint key. */
  readonly fingerprint?: string
  /** The same over the whole first sweep, as it was before the job changed anything. */
  readonly fingerprintBefore?: string
}

/** Counts of values by {@link RotationClass}, and of requests. */
export interface RotationCounts extends Readonly<Record<RotationClass, number>> {
  /** Records of the first sweep, however often they were read. */
  readonly records: number
  /** Requests to a KMS that unwrap, wrap or rewrap a data key, without retries: quotas and prices count these. */
  readonly kmsCalls: number
}

/**
 * The class of a value after the step judged it.
 *
 * - `done`: it was rewrapped.
 * - `current`: it is under the current KEKs and no other.
 * - `reference`: it is by reference; its wraps are in the data-key store, which is a source of its own.
 * - `empty`: the value is absent, or has length 0.
 * - `foreign`: it is not an envelope, e.g. plaintext that nobody has encrypted yet. Left alone, never an error.
 * - `unknown-key`: none of its wraps is under a configured KEK.
 * - `corrupt`: it begins like an envelope, but does not parse or does not open.
 * - `denied`: the KMS refused its KEK: permission, or a disabled key.
 * - `outage`: the KMS or the store did not answer. The step ends early and the next one repeats the page.
 * - `lost-race`: other writers changed it more often than the step retries. The next sweep finds it.
 */
export type RotationClass =
  | 'done'
  | 'current'
  | 'reference'
  | 'empty'
  | 'foreign'
  | 'unknown-key'
  | 'corrupt'
  | 'denied'
  | 'outage'
  | 'lost-race'

/** Classes that are failures: they count for the threshold and go to the failure sink. */
export const FAILURE_CLASSES = ['unknown-key', 'corrupt', 'denied'] as const

/** One value that could not be rewrapped. Holds names, never a message. */
export interface RotationFailure {
  readonly source: string
  readonly id: string
  readonly field: string
  readonly class: (typeof FAILURE_CLASSES)[number]
  /** The `KmsErrorCode`, e.g. `ERR_ENVELOPE_UNKNOWN_KEY`. */
  readonly code: string
  readonly atMs: number
}
