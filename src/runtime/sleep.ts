import type { Network } from '../ports/index.ts'

/**
 * Waits on a timer of the caller's own.
 *
 * @throws the signal's reason, as soon as it aborts
 */
export function sleep(
  network: Network,
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = network.after(delayMs, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    if (signal?.aborted === true) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
