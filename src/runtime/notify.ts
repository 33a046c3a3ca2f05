import type { KmsEvent, Observer } from '../ports/index.ts'
import { tell } from './tell.ts'

/**
 * Tells an observer what happened. An observer that throws, or whose promise rejects, changes nothing:
 * it must neither fail a call nor end the process.
 */
export function notify(observer: Observer | undefined, event: KmsEvent): void {
  tell((told: KmsEvent): unknown => observer?.observe(told), event)
}
