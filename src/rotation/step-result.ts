import type { RotationOutage } from './page-tally.ts'
import type { RotationCounts, RotationFailure, RotationState } from './rotation-state.ts'

/** Limits of one step. It ends at the first limit that it reaches, but tries at least one page. */
export interface StepBudget {
  /** Records that are read, 1 to 1,000,000; one page by default. */
  readonly records?: number
  /** Milliseconds after which no further page is begun; no limit by default. */
  readonly ms?: number
  /** Ends the step at once: it rejects with the signal's reason, and the old state stays valid. */
  readonly signal?: AbortSignal | undefined
}

/** Result of a step. */
export interface StepResult {
  /** The new state. Keep it, and pass it to the next step. */
  readonly state: RotationState
  /** Counts that this step added to those of the job. */
  readonly counts: RotationCounts
  /** The failures of this step; all of them went to the failure sink. */
  readonly failures: readonly RotationFailure[]
  /** How long to wait before the next step, in milliseconds: after an outage, and before another sweep. */
  readonly waitMs: number
  /** Records that were read, in whatever sweep. */
  readonly read: number
  /** The outage that ended the step early. */
  readonly outage?: RotationOutage
  /**
   * The first outage after which the step continued. The values that it skipped count as `outage`, and the next sweep
   * tries them again. While every sweep skips values like this, the job does not end: stop it after some sweeps.
   */
  readonly passed?: RotationOutage
}
