import type { Network } from '../ports/index.ts'

function after(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs)
  return () => {
    clearTimeout(timer)
  }
}

/** Timers alone, for who needs no more. */
export const webTimers: Pick<Network, 'after'> = { after }

/** {@link Network} on web standards. */
export const webNetwork: Network = {
  fetch: (url, init) => fetch(url, init),
  after,
  jitter: () => Math.random(),
}
