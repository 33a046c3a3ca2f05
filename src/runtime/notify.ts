import type { KmsEvent, Observer } from '../ports/index.ts'

/**
 * Tells an observer what happened. An observer that throws, or whose promise rejects, changes nothing:
 * it must neither fail a call nor end the process.
 */
export function notify(observer: Observer | undefined, event: KmsEvent): void {
  try {
    // The types say void, but an async function is one of those too.
    const heard: unknown = observer?.observe(event)
    if (heard !== undefined) Promise.resolve(heard).catch(() => undefined)
  } catch {
    // Counting is no reason to fail.
  }
}
