import type { Bytes } from '../bytes/index.ts'
import type {
  CanonicalContext,
  EncryptionContext,
  KmsCapabilities,
  KmsSignalOptions,
} from '../kms/index.ts'
import type { Network, Runtime } from '../ports/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import type { DataKeyLimits } from './data-key-limits.ts'
import type { ActiveKeyOptions, DataKeyPolicy, Defer } from './data-key-source.ts'

/** Counts of a shared level, since construction. */
export interface SharedLevelStats {
  /** Data keys that others made and that this cache writes under, each after one unwrap. */
  readonly adoptions: number
  /**
   * Values of the store that this cache refused: forged, planted, stale, foreign or unreadable. A value that stays
   * in the store counts each time it is read.
   */
  readonly adoptionsRefused: number
  /** Leases that this cache won: it then made a data key for all processes. */
  readonly leases: number
  /** Calls that waited for a data key that another process was making. */
  readonly leaseWaits: number
  readonly storeReads: number
  readonly storeWrites: number
  /** Store calls that failed, timed out, or returned something unreadable. */
  readonly storeFailures: number
  /** How often this cache dropped everything because another process invalidated. */
  readonly signals: number
}

/** How a cache asks for a data key: a caller waits for it, or the cache renews a key before it expires. */
export interface ObtainOptions extends ActiveKeyOptions {
  /** Whether the key replaces one that expires soon, and no caller waits for it. */
  readonly ahead?: boolean
}

/** The part of a cache that its shared level may use. */
export interface SharedLevelHost {
  readonly runtime: Runtime
  readonly network: Network
  readonly limits: DataKeyLimits
  readonly policy: DataKeyPolicy
  readonly capabilities: KmsCapabilities
  /** How long before its expiry a key is replaced, in milliseconds; 0: never. */
  readonly refreshAheadMs: number
  /** How many data keys the cache holds now. */
  readonly entries: number
  /** How many data keys the cache may hold. */
  readonly maxEntries: number
  canOpen(wraps: KeyHeader['wraps'], context: EncryptionContext): boolean
  /** Whether this cache has written under a data key as often as `maxMessages` allows. */
  isUsedUp(commitment: Bytes): boolean
  /** Makes a new data key. */
  make(context: CanonicalContext, options: KmsSignalOptions): Promise<DataEncryptionKey>
  /** Opens a header with the KMS, never from memory; its commitment is verified. */
  open(
    header: KeyHeader,
    context: EncryptionContext,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey>
  /** Drops every key that is held in memory. */
  drop(): void
}

/** Data keys that processes share. One for each cache. */
export interface SharedLevel {
  /** Returns a data key for writing: a shared one, or a new one that it then shares. */
  obtain(context: CanonicalContext, options: ObtainOptions): Promise<DataEncryptionKey>
  /** Checks in the background, at limited intervals, whether another process invalidated. Never rejects. */
  look(nowMs: number, defer: Defer): void
  /**
   * Makes all other processes drop everything, and makes the keys that are shared now unusable.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE` if they could not be notified
   */
  signal(options: KmsSignalOptions): Promise<void>
  /** Forgets its state in memory. */
  clear(): void
  stats(): SharedLevelStats
}

/** The shared level as an option of a cache. `edge-kms/shared-keys` has one over a `KeyValueStore`. */
export interface SharedDataKeys {
  /** @throws KmsError `ERR_KMS_CONFIG` if it does not fit this cache or its KMS */
  attach(host: SharedLevelHost): SharedLevel
}
