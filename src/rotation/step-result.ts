import type { RotationOutage } from './page-tally.ts'
import type { RotationCounts, RotationFailure, RotationState } from './rotation-state.ts'

/** How much one step may do. It ends at the first of these; at least one page is tried. */
export interface StepBudget {
  /** Records that are read, 1 to 1,000,000; one page by default. */
  readonly records?: number
  /** Milliseconds after which no further page is begun; no limit by default. */
  readonly ms?: number
  /** Ends the step at once; it rejects with the signal's reason, and the old state stays good. */
  readonly signal?: AbortSignal | undefined
}

/** Result of a step. */
export interface StepResult {
  /** Keep it, and give it to the next step. */
  readonly state: RotationState
  /** Counts that this step added to those of the job. */
  readonly counts: RotationCounts
  /** The failures of this step; all of them went to the failure sink. */
  readonly failures: readonly RotationFailure[]
  /** Wait so long before the next step: after an outage, and before a further sweep. */
  readonly waitMs: number
  /** Records that were read, in whatever sweep. */
  readonly read: number
  /** The outage that ended the step early. */
  readonly outage?: RotationOutage
  /**
   * The first outage that the step went on behind: the values that it left count as `outage`, and the next sweep tries
   * them again. A job whose later sweeps only ever pass an outage does not end: give up after some.
   */
  readonly passed?: RotationOutage
}
