import type { Network } from '../ports/index.ts'

/** What bounds one wait. */
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
  let cancel: (() => void) | undefined
  let stop: (() => void) | undefined
  const end = new Promise<never>((_, reject) => {
    const fail = (reason: unknown): void => {
      reject(reason as Error)
      ended.abort(reason)
    }
    stop = (): void => {
      fail(signal?.reason)
    }
    signal?.addEventListener('abort', stop, { once: true })
    if (timeoutMs !== undefined) {
      cancel = network.after(timeoutMs, () => {
        fail(error())
      })
    }
  })
  // A function that throws at once is the same as one that rejects.
  const working = (async () => work(ended.signal))()
  if (late !== undefined) {
    const answered = (answer: T): void => {
      if (ended.signal.aborted) late(answer)
    }
    working.then(answered, () => undefined)
  }
  try {
    return await Promise.race([working, end])
  } finally {
    cancel?.()
    if (stop !== undefined) signal?.removeEventListener('abort', stop)
  }
}
