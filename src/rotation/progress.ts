import type { KmsErrorCode } from '../errors.ts'
import type { RotationPlan } from './plan.ts'
import type { StepResult } from './step-result.ts'
import type { RotationCounts, RotationPhase, RotationState } from './rotation-state.ts'

/** How far a job is, after a step. */
export interface RotationProgress {
  readonly job: string
  readonly phase: RotationPhase
  /** The current source, and the number of the current walk through it. Absent at the end. */
  readonly source?: string
  readonly sweep?: number
  readonly counts: RotationCounts
  /** Records that this run has read, in all sweeps. */
  readonly read: number
  readonly elapsedMs: number
  readonly recordsPerSecond: number
  /** Part of the records that this run has read, 0 to 1. Absent without a plan, which knows how many there are. */
  readonly share?: number
  /** Milliseconds until the end. Absent without a plan. */
  readonly etaMs?: number
  /** The service that did not answer, and the code of the error. */
  readonly outage?: { readonly from: string; readonly source: string; readonly code: KmsErrorCode }
  /** How long the run waits before the next step, in milliseconds. */
  readonly waitMs: number
}

/** Numbers of a run so far. */
export interface RunSoFar {
  readonly read: number
  readonly elapsedMs: number
}

/** Returns the progress after a step. */
export function progressOf(
  { state, waitMs, ...ended }: StepResult,
  { read, elapsedMs }: RunSoFar,
  plan: RotationPlan | undefined,
): RotationProgress {
  const outage = ended.outage ?? ended.passed
  const at = state.sources.find(({ done }) => !done)
  const recordsPerSecond = elapsedMs > 0 ? (read * 1_000) / elapsedMs : 0
  return {
    job: state.job,
    phase: state.phase,
    ...(at !== undefined && { source: at.name, sweep: at.sweep }),
    counts: state.counts,
    read,
    elapsedMs,
    recordsPerSecond,
    ...(plan !== undefined && forecastOf(state, { read, elapsedMs }, plan)),
    ...(outage !== undefined && {
      outage: { from: outage.from, source: outage.source, code: outage.error.code },
    }),
    waitMs,
  }
}

/**
 * Of a job that changes something every record is read twice, and the second time costs no call to the KMS: what is
 * left of the first sweep goes on as it went, and the rest takes what the plan says.
 */
function forecastOf(
  { phase, counts }: RotationState,
  { read, elapsedMs }: RunSoFar,
  plan: RotationPlan,
): Pick<RotationProgress, 'share' | 'etaMs'> {
  const total = Math.max(1, plan.records * plan.sweeps)
  if (phase === 'finished') return { share: 1, etaMs: 0 }
  const share = Math.min(1, read / total)
  const first = Math.min(1, counts.records / Math.max(1, plan.records))
  if (first < 1) {
    const rest = first === 0 ? plan.timeMs - plan.readMs : (elapsedMs * (1 - first)) / first
    return { share, etaMs: Math.max(0, rest) + plan.readMs * (plan.sweeps - 1) }
  }
  return { share, etaMs: plan.readMs * Math.max(0, 1 - share) * plan.sweeps }
}
