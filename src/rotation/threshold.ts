import { failuresOf } from './counts.ts'
import type { RotationState } from './rotation-state.ts'

/** The share of failures from which on a job stops, and the judged values from which on it counts. */
export interface Threshold {
  readonly share: number
  readonly least: number
}

/** Whether more values fail than may: of those that were rewrapped, were current, or failed. */
export function isOverThreshold(
  { counts, forgiven }: Pick<RotationState, 'counts' | 'forgiven'>,
  { share, least }: Threshold,
): boolean {
  const failures = failuresOf(counts)
  const judged = counts.done + counts.current + failures
  return judged >= least && failures - forgiven > share * judged
}
