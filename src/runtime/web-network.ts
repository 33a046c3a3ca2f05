import type { Network } from '../ports/index.ts'

/** {@link Network} on web standards. */
export const webNetwork: Network = {
  fetch: (url, init) => fetch(url, init),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => {
      clearTimeout(timer)
    }
  },
  jitter: () => Math.random(),
}
