import { wrongOption } from '../checks/index.ts'
import type { KeyRotationManager } from './key-rotation-manager.ts'
import type { RotationProgress } from './progress.ts'
import type { JobRotationResult } from './result.ts'
import type { RunOptions } from './run-job.ts'

/** Options of {@link runRotation}. */
export interface RunRotationOptions extends RunOptions {
  /** Gets the progress after each step, e.g. `terminalProgress(process.stderr)`. */
  readonly progress?: (progress: RotationProgress) => void | Promise<void>
}

/**
 * Runs a job in this process to its end and returns the result: the engine for scripts and small tables.
 *
 * @throws KmsError as `KeyRotationManager.run`, and `ERR_KMS_CONFIG` for a `progress` that is not a function
 *
 * @example
 * ```ts
 * import { type KeyRotationManager, runRotation, terminalProgress } from 'edge-kms/rotation'
 *
 * export async function rotateNow(manager: KeyRotationManager): Promise<boolean> {
 *   const { phase, deksFailed } = await runRotation(manager, { progress: terminalProgress(process.stderr) })
 *   return phase === 'finished' && deksFailed === 0
 * }
 * ```
 */
export async function runRotation(
  manager: Pick<KeyRotationManager, 'run'>,
  { progress, ...options }: RunRotationOptions = {},
): Promise<JobRotationResult> {
  if (progress !== undefined && typeof progress !== 'function')
    throw wrongOption('progress', 'a function, such as terminalProgress(process.stderr)', progress)
  const run = manager.run(options)
  for (;;) {
    const step = await run.next()
    if (step.done === true) return step.value
    await progress?.(step.value)
  }
}
