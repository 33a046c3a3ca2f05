import type { KmsErrorCode } from '../../errors.ts'
import type { RotationCounts } from '../rotation-state.ts'
import type { RotationProgress } from '../progress.ts'

/** Samples that a series keeps: enough for a chart, and the same for any number of steps. */
export const MAX_SAMPLES = 240

/** The progress of a job at one moment. Plain JSON; it holds counts and no ids. */
export interface RotationSample {
  /** Milliseconds since the series began; pauses between two runs are left out. */
  readonly atMs: number
  /** Records read so far, in all sweeps. */
  readonly read: number
  readonly counts: RotationCounts
  /** Code of the error, if an outage ended the step. */
  readonly outage?: KmsErrorCode
}

/** A record of a job's progress, of at most 240 samples. */
export interface ProgressSeries {
  /** Adds the progress of one step: pass it as `progress` of `runRotation`. */
  readonly add: (progress: RotationProgress) => void
  /** Returns the samples, oldest first. The last one is always the newest. */
  samples(): readonly RotationSample[]
}

/** Options of {@link progressSeries}. */
export interface ProgressSeriesOptions {
  /** Samples of an earlier run of the same job, to continue. */
  readonly samples?: readonly RotationSample[]
}

/**
 * Returns a recorder of a job's progress for {@link rotationReport}. It keeps at most 240 samples, evenly spaced:
 * when it is full, it drops every second one.
 *
 * @example
 * ```ts
 * import { type KeyRotationManager, progressSeries, rotationReport, runRotation } from 'edge-kms/rotation'
 *
 * export async function runAndReport(manager: KeyRotationManager): Promise<string> {
 *   const plan = await manager.plan()
 *   const series = progressSeries()
 *   const result = await runRotation(manager, { plan, progress: series.add })
 *   return rotationReport({ plan, samples: series.samples(), result }).html
 * }
 * ```
 */
export function progressSeries({ samples = [] }: ProgressSeriesOptions = {}): ProgressSeries {
  const earlier = samples.at(-1)
  let kept = thinned(samples, MAX_SAMPLES / 2)
  let stride = 1
  let steps = 0
  let latest: RotationSample | undefined
  return {
    add({ elapsedMs, read, counts, outage }) {
      latest = {
        atMs: (earlier?.atMs ?? 0) + elapsedMs,
        read: (earlier?.read ?? 0) + read,
        counts,
        ...(outage !== undefined && { outage: outage.code }),
      }
      steps += 1
      if (steps % stride !== 0) return
      kept.push(latest)
      if (kept.length < MAX_SAMPLES) return
      kept = kept.filter((_, i) => i % 2 === 1)
      stride *= 2
    },
    samples: () => (latest === undefined || kept.at(-1) === latest ? [...kept] : [...kept, latest]),
  }
}

/** Returns at most `most` items, evenly spaced, with the first and the last. */
export function thinned<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items]
  const last = items.length - 1
  return Array.from({ length: most }, (_, i) => items[Math.round((i * last) / (most - 1))] as T)
}
