import type { DataEncryptionKey } from '../data-encryption-key.ts'

/** A cached key with what is known of its age and of the KMS. */
export interface HeldKey {
  readonly key: DataEncryptionKey
  /** When the KMS last answered for it; -Infinity once it was dropped. */
  answeredAtMs: number
  /** From when on a use asks the KMS again, in the background. */
  refreshAtMs: number
  /** Since when a background call has had no answer. */
  askedAtMs?: number | undefined
  /** When the KMS last failed to answer for it. */
  outageAtMs?: number | undefined
}

/** Whether `nowMs` lies in the span. A clock that was set back makes an entry old, not young again. */
export function within(sinceMs: number, nowMs: number, spanMs: number): boolean {
  return nowMs >= sinceMs && nowMs - sinceMs < spanMs
}

/** Drops entries: no age makes them usable again. Returns whether one of them was not dropped before. */
export function dropHeld(entries: Iterable<HeldKey | undefined>): boolean {
  let dropped = false
  for (const held of entries) {
    if (held === undefined || held.answeredAtMs === -Infinity) continue
    held.answeredAtMs = -Infinity
    dropped = true
  }
  return dropped
}
