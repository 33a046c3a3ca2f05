import type { KmsSignalOptions } from '../kms/index.ts'
import { withTimeout } from '../runtime/index.ts'
import type { Ports } from './service.ts'

/** Longest wait for work in the background, which nobody waits for. */
export const BACKGROUND_MS = 5_000

/**
 * Begins work that nobody waits for and whose failure is none. On Workers it outlives its request only if it
 * is deferred.
 */
export function inBackground(
  { network }: Ports,
  work: (signal: AbortSignal) => Promise<void>,
  { defer }: KmsSignalOptions,
): void {
  const error = (): Error => new Error('the store did not answer in time')
  const quiet = withTimeout(work, { timeoutMs: BACKGROUND_MS, network, error }).catch(
    () => undefined,
  )
  defer?.(quiet)
}
