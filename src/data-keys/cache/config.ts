import type { Network } from '../../ports/index.ts'
import type { SharedDataKeys } from '../shared-level.ts'

/** Limits of a cache of data keys. All numbers are integers. */
export interface KmsCacheConfig {
  /** How long a key is used without asking the KMS again, in milliseconds: 5 min by default, at most 1 h. */
  readonly ttlMs?: number
  /**
   * Most data keys in the cache: 1,000 by default, at most 1,000,000. 0 turns the cache off: each message gets its
   * own data key, and each read costs an unwrap.
   */
  readonly maxEntries?: number
  /** Timers and jitter of the cache; the platform's own by default. */
  readonly network?: Network
  /**
   * Length of the window before the end of `ttlMs` in which a use renews the key in the background, in
   * milliseconds: a fifth of `ttlMs` by default; 0: never. The renewal begins at a random point of the window's
   * first half.
   */
  readonly refreshAheadMs?: number
  /**
   * How long past `ttlMs` a key still decrypts while the KMS cannot be reached or throttles, in milliseconds: 1 min
   * by default, at most 24 h. A revoked key stops decrypting within `ttlMs` + `maxStaleMs`.
   */
  readonly maxStaleMs?: number
  /** The same for encrypting: 1 min by default. Never past `encryptForMs`. */
  readonly maxStaleWriteMs?: number
  /** Data keys that processes share: `sharedDataKeys` of `edge-kms/shared-keys`. None by default. */
  readonly shared?: SharedDataKeys
}
