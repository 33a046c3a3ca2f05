import type { Bytes } from '../bytes/index.ts'
import type { Outcome } from '../errors.ts'
import type { KekVersion } from '../kms/index.ts'
import { failuresOf } from './counts.ts'
import type {
  RotationCounts,
  RotationFailure,
  RotationPhase,
  RotationState,
} from './rotation-state.ts'

/** Result of a rotation. */
export interface KeyRotationResult {
  /** The version that each KEK wraps with now; empty if the context selects the KEK. */
  readonly newVersion: readonly KekVersion[]
  /** Values, or data keys of a batch, that were rewrapped. */
  readonly deksRotated: number
  /** Values, or data keys of a batch, that could not be rewrapped. */
  readonly deksFailed: number
  /** Failures by place and code; at most 20 for a job, all for a batch. */
  readonly errors: readonly string[]
}

/** Result of `rewrapDeksBatch`: the outcome for each data key. */
export interface BatchRotationResult extends KeyRotationResult {
  /** In order, one outcome for each: write it back where the data key came from. */
  readonly deks: readonly Outcome<Bytes>[]
}

/** Result of a job over sources. */
export interface JobRotationResult extends KeyRotationResult {
  readonly job: string
  readonly phase: RotationPhase
  /** Whether this was a `dryRun()`: `deksRotated` values could be rewrapped, and nothing was written. */
  readonly dryRun: boolean
  readonly counts: RotationCounts
  /** The first failures, at most 20. */
  readonly samples: readonly RotationFailure[]
  readonly startedAtMs: number
  readonly durationMs: number
  /** Fingerprints of what must not change; empty without `fingerprintKey`. */
  readonly fingerprints: readonly SweepFingerprints[]
}

/** Fingerprints of one source over the first sweep and over the last. */
export interface SweepFingerprints {
  readonly source: string
  readonly before: string
  readonly after: string
}

/** Returns the result of a job, or of its dry run, from its state. */
export function resultOf(state: RotationState, dryRun = false): JobRotationResult {
  const { job, phase, counts, samples, startedAtMs, updatedAtMs, target } = state
  const errors = samples.map(
    ({ source, id, field, code }) => `${source} ${JSON.stringify(id)} ${field}: ${code}`,
  )
  return {
    newVersion: target,
    deksRotated: counts.done,
    deksFailed: failuresOf(counts),
    errors,
    job,
    phase,
    dryRun,
    counts,
    samples,
    startedAtMs,
    durationMs: updatedAtMs - startedAtMs,
    fingerprints: state.sources.flatMap(({ name, fingerprintBefore, fingerprint }) => {
      if (fingerprintBefore === undefined || fingerprint === undefined) return []
      return [{ source: name, before: fingerprintBefore, after: fingerprint }]
    }),
  }
}
