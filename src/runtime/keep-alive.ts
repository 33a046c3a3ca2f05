import { tell } from './tell.ts'

/**
 * Tells the platform of work that goes on after the answer, e.g. by `ctx.waitUntil`. A `defer` that throws or rejects,
 * because it lost its `this` or the answer is out, changes nothing: the work goes on without it.
 */
export function keepAlive(
  defer: ((work: Promise<unknown>) => void) | undefined,
  work: Promise<unknown>,
): void {
  tell(defer, work)
}
