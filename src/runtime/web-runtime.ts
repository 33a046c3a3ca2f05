import type { Runtime } from '../ports/index.ts'

/** {@link Runtime} on web standards: the same on Node, workerd, Deno, Bun and browsers. */
export const webRuntime: Runtime = {
  now: () => Date.now(),
  randomFill: (bytes) => crypto.getRandomValues(bytes),
}
