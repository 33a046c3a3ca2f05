import type { Network } from '../../ports/index.ts'
import type { SharedDataKeys } from '../shared-level.ts'

/** Bounds of a cache of data keys. Numbers are integers. */
export interface KmsCacheConfig {
  /** How long a key is used without asking the KMS again, in milliseconds: 5 min by default, at most 1 h. */
  readonly ttlMs?: number
  /**
   * Data keys that are held: 1,000 by default, at most 1,000,000. 0 turns the cache off: one data key for
   * each message, one unwrap for each read.
   */
  readonly maxEntries?: number
  /** Timers and jitter of the cache; the platform's own by default. */
  readonly network?: Network
  /**
   * How long before the end of `ttlMs` a use asks the KMS again in the background, in milliseconds:
   * the last fifth by default; 0: never. It begins at a random point of the first half of that time.
   */
  readonly refreshAheadMs?: number
  /**
   * How long past `ttlMs` a key still decrypts while the KMS cannot be reached or throttles, in
   * milliseconds: 1 min by default, at most 24 h. A revocation reaches decrypts within both.
   */
  readonly maxStaleMs?: number
  /** The same for encrypting: 1 min by default. Never past `encryptForMs`. */
  readonly maxStaleWriteMs?: number
  /** Data keys that processes share: `sharedDataKeys` of `edge-kms/shared-keys`. None by default. */
  readonly shared?: SharedDataKeys
}
