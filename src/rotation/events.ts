import type { KekVersion } from '../kms/index.ts'
import type { KeyLifecycleOperation } from '../ports/index.ts'
import type { RotationProgress } from './progress.ts'

/** Events that a rotation reports to its observer. They hold names and numbers, never a secret. */
export type RotationEvent = RotationProgressEvent | RotationLifecycleEvent

/** A step of a job ended. */
export interface RotationProgressEvent {
  readonly type: 'progress'
  readonly progress: RotationProgress
}

/** A job or a version of a KEK moved to another state. */
export interface RotationLifecycleEvent {
  readonly type: 'lifecycle'
  readonly operation: KeyLifecycleOperation
  readonly job: string
  readonly keys: readonly KekVersion[]
  readonly atMs: number
}

/**
 * Receives events, synchronously. The rotation drops an error that it throws, so that an observer cannot end a
 * rotation.
 */
export type RotationObserver = (event: RotationEvent) => void

/** Tells an observer what happened. */
export function tell(observer: RotationObserver | undefined, event: RotationEvent): void {
  try {
    // The types say void, but an async function is one of those too.
    const heard: unknown = observer?.(event)
    if (heard !== undefined) Promise.resolve(heard).catch(() => undefined)
  } catch {
    // A failure to count must not fail the job.
  }
}
