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
   * Looks at what stood in the store and was not taken: forged, planted, stale, of others, or not ours at
   * all. A value that stays there counts each time.
   */
  readonly adoptionsRefused: number
  /** Leases to make a data key for all that were won here. */
  readonly leases: number
  /** Calls that waited for what another process makes. */
  readonly leaseWaits: number
  readonly storeReads: number
  readonly storeWrites: number
  /** Calls of the store that failed, did not end in time, or gave what cannot be read. */
  readonly storeFailures: number
  /** Times that everything was dropped, because another process said so. */
  readonly signals: number
}

/** How a cache asks for a data key: a caller waits for it, or it is renewed ahead of its end. */
export interface ObtainOptions extends ActiveKeyOptions {
  /** Nobody waits: a key that nears its end is to be replaced. */
  readonly ahead?: boolean
}

/** The part of a cache that its shared level may use. */
export interface SharedLevelHost {
  readonly runtime: Runtime
  readonly network: Network
  readonly limits: DataKeyLimits
  readonly policy: DataKeyPolicy
  readonly capabilities: KmsCapabilities
  /** How long before its end a key is replaced; 0: never. */
  readonly refreshAheadMs: number
  /** How many data keys it holds now. */
  readonly entries: number
  /** How many data keys it may hold. */
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
  /** A data key to write under: one that is shared, or a new one that is shared from now on. */
  obtain(context: CanonicalContext, options: ObtainOptions): Promise<DataEncryptionKey>
  /** Looks in the background, and not too often, whether others have said to drop everything. Never rejects. */
  look(nowMs: number, defer: Defer): void
  /**
   * Tells all others to drop everything, and makes what is shared by now unusable.
   *
   * @throws KmsError `ERR_STORE_UNAVAILABLE`: they were not told
   */
  signal(options: KmsSignalOptions): Promise<void>
  /** Forgets what it learnt. */
  clear(): void
  stats(): SharedLevelStats
}

/** The shared level as an option of a cache. `edge-kms/shared-keys` has one over a `KeyValueStore`. */
export interface SharedDataKeys {
  /** @throws KmsError `ERR_KMS_CONFIG` where it does not fit this cache or its KMS */
  attach(host: SharedLevelHost): SharedLevel
}
