import type { Bytes } from '../bytes/index.ts'
import type { Outcome } from '../errors.ts'
import type { EncryptionContext, KmsSignalOptions, WrappedKey } from '../kms/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'

/** A value, or a promise of it. A cached key is a value, so that its use costs no turn of the event loop. */
export type MaybePromise<T> = T | Promise<T>

/** Keeps work alive that a use began and does not wait for, e.g. `ctx.waitUntil`. */
export type Defer = KmsSignalOptions['defer']

/** Options of {@link DataKeySource.active}. */
export interface ActiveKeyOptions extends KmsSignalOptions {
  /** Whether the key must be durable and readable in the data-key store before it is returned. */
  readonly durable: boolean
}

/** One item of {@link DataKeySource.openMany}. */
export interface OpenRequest {
  readonly header: KeyHeader
  readonly context: EncryptionContext | undefined
}

/** Options of {@link DataKeySource.rewrap}. */
export interface RewrapKeyOptions extends KmsSignalOptions {
  /**
   * `open`: the DEK is unwrapped, the commitment checked, and each new wrap proven to open the same
   * DEK. `kms`: the KMS rewraps and nothing is proven; for workers that may only rewrap.
   */
  readonly verify: 'open' | 'kms'
}

/** Configuration of a source that a reader must know. */
export interface DataKeyPolicy {
  /** Context keys that every message must have and that no header carries. */
  readonly requiredContextKeys: readonly string[]
  /** The most wraps that a header may have. */
  readonly maxWraps: number
  /** Whether there is a data-key store, so that messages by reference can be read and written. */
  readonly references: boolean
}

/**
 * The source of an `EnvelopeCipher`'s data keys. `CachedKms` is the one
 * of this package. A source derives and commits; a KMS only wraps.
 */
export interface DataKeySource {
  readonly policy: DataKeyPolicy

  /** Returns a data key that may encrypt one more message. */
  active(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): MaybePromise<DataEncryptionKey>

  /**
   * Returns the data key of a header, after it has verified the commitment.
   *
   * @throws KmsError `ERR_ENVELOPE_UNKNOWN_KEY` before any I/O, `ERR_DECRYPT_FAILED`, or the KMS's error
   */
  open(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): MaybePromise<DataEncryptionKey>

  /** Opens many headers and unwraps each distinct one once. Returns one outcome for each header, in order. */
  openMany(
    requests: readonly OpenRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<DataEncryptionKey>[]>

  /** Returns the data key that a message by reference names. */
  byReference(
    commitment: Bytes,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): MaybePromise<DataEncryptionKey>

  /**
   * Returns the header that a commitment names, from the data-key store.
   *
   * @throws KmsError `ERR_ENVELOPE_UNKNOWN_REFERENCE`, `ERR_STORE_UNAVAILABLE`, `ERR_KMS_CONFIG` without a store
   */
  headerOf(commitment: Bytes, options: KmsSignalOptions): Promise<KeyHeader>

  /**
   * Returns the cached data key whose header this inline message has, byte for byte, or `undefined`. The reader
   * then does not parse a known header again.
   */
  recall(
    message: Bytes,
    context: EncryptionContext | undefined,
    defer: Defer,
  ): DataEncryptionKey | undefined

  /** Returns the header with new wraps. It does not use the cache. */
  rewrap(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: RewrapKeyOptions,
  ): Promise<KeyHeader>

  /**
   * Returns whether one of the wraps is for a configured key, or for a key of this context if contexts select keys.
   * It does no I/O.
   */
  canOpen(wraps: readonly WrappedKey[], context?: EncryptionContext): boolean

  /** Drops all keys. Call it after a restore from a snapshot, or to make a revocation immediate. */
  clear(): void
}
