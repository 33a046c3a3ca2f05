import type { Network } from '../ports/index.ts'

/** Bounds of one wait. */
export interface TimeoutOptions {
  /** In milliseconds; `undefined`: only the caller's signal ends the wait. */
  readonly timeoutMs: number | undefined
  /** The caller's signal. */
  readonly signal?: AbortSignal | undefined
  readonly network: Pick<Network, 'after'>
  /** Makes the error of a wait that took too long. */
  readonly error: () => Error
}

/**
 * Runs work that ends within a bound, whether the other side listens to its signal or not. Every wait
 * on something outside the process goes through here. No timer and no listener is left behind.
 *
 * @param work - its signal aborts when the time is up or the caller gives up
 * @param late - takes what the work answers after nobody waits any more, e.g. to wipe it
 * @throws the caller's abort reason, `error()`, or what the work throws
 */
export async function withTimeout<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { timeoutMs, signal, network, error }: TimeoutOptions,
  late?: (answer: T) => void,
): Promise<T> {
  signal?.throwIfAborted()
  const ended = new AbortController()
  return new Promise<T>((resolve, reject) => {
    // One flag decides between answer and end: an answer is either given out or handed to `late`.
    let isOpen = true
    let cancel: (() => void) | undefined
    const close = (): void => {
      isOpen = false
      cancel?.()
      signal?.removeEventListener('abort', stop)
    }
    const fail = (reason: Error): void => {
      if (!isOpen) return
      close()
      reject(reason)
      ended.abort(reason)
    }
    const stop = (): void => {
      fail(signal?.reason as Error)
    }
    signal?.addEventListener('abort', stop, { once: true })
    if (timeoutMs !== undefined) {
      cancel = network.after(timeoutMs, () => {
        fail(error())
      })
    }
    const answered = (answer: T): void => {
      if (!isOpen) return late?.(answer)
      close()
      resolve(answer)
    }
    const rejected = (reason: Error): void => {
      if (!isOpen) return
      close()
      reject(reason)
    }
    // A function that throws at once is the same as one that rejects.
    const run = async (): Promise<T> => work(ended.signal)
    run().then(answered, rejected)
  })
}
