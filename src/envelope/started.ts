/**
 * Returns the promise of the work, or a rejected one if the work throws. An async function would put a
 * promise of its own around it, which costs a cached call a turn.
 */
export function started<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work()
  } catch (error) {
    const reason: Error = error as Error
    return Promise.reject(reason)
  }
}
