import type { Runtime } from '../../../src/ports/index.ts'
import { webRuntime } from '../../../src/runtime/index.ts'

/** A clock that moves only by `elapse`. */
export function movingClock(): {
  readonly runtime: Runtime
  readonly elapse: (ms: number) => Promise<void>
} {
  let now = 1_800_000_000_000
  return {
    runtime: { ...webRuntime, now: () => now },
    elapse(ms) {
      now += ms
      return Promise.resolve()
    },
  }
}
