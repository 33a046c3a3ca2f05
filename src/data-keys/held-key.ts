import type { KmsSignalOptions } from '../kms/index.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'

/** A key, since when it is held, and where it is renewed, what came of that. */
export interface HeldKey {
  readonly key: DataEncryptionKey
  /** -Infinity: it was dropped, and is never used again. */
  cachedAtMs: number
  /** From when on a use asks the KMS again, in the background. */
  refreshAtMs?: number
  /** When the KMS was last asked in vain. */
  outageAtMs?: number
}

/** How long keys are used without asking the KMS. */
export interface Freshness<O = KmsSignalOptions> {
  hold(key: DataEncryptionKey, nowMs: number): HeldKey
  /** Whether a key may be used by a call with these options. */
  isUsable(held: HeldKey, nowMs: number, options: O): boolean
}

/** Use does not prolong the time, and nothing does but the KMS's answer. */
export function ttlOnly(ttlMs: number): Freshness<unknown> {
  return {
    hold: (key, cachedAtMs) => ({ key, cachedAtMs }),
    isUsable: ({ cachedAtMs }, nowMs) => within(cachedAtMs, nowMs, ttlMs),
  }
}

/** Whether `nowMs` lies in the span; a clock that went back makes an entry old, not young again. */
export function within(sinceMs: number, nowMs: number, spanMs: number): boolean {
  return nowMs >= sinceMs && nowMs - sinceMs < spanMs
}
