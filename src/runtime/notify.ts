import type { KmsEvent, Observer } from '../ports/index.ts'

/** Tells an observer. Its failure must not become that of a call. */
export function notify(observer: Observer | undefined, event: KmsEvent): void {
  try {
    observer?.observe(event)
  } catch {
    // Counting is no reason to fail.
  }
}
