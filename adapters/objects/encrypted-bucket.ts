import { checkHeadOptions } from './call-options.ts'
import type { EncryptedObject } from './encrypted-object.ts'
import { getObject } from './get-object.ts'
import { factsOf } from './object-facts.ts'
import { checkObjectKey } from './object-key.ts'
import type {
  GetObjectOptions,
  ObjectCallSignal,
  ObjectHead,
  ObjectNotRead,
  PutObject,
  PutObjectOptions,
  RewrapObjectOptions,
  RewrappedObject,
} from './object-types.ts'
import type { ObjectStore } from './object-store.ts'
import type { ObjectValue } from './object-value.ts'
import { type BucketSettings, bucketSettings, type EncryptedBucketOptions } from './options.ts'
import { putObject } from './put-object.ts'
import { rewrapObject } from './rewrap-object.ts'
import { readStoredEnvelope } from './stored-envelope.ts'

/** The store behind each bucket, for `objectSource`. */
const STORES = new WeakMap<EncryptedBucket, ObjectStore>()

/** Returns the store of a bucket, `undefined` for what is not one. */
export function storeOf(bucket: EncryptedBucket): ObjectStore | undefined {
  return STORES.get(bucket)
}

/**
 * Encrypts objects on their way to R2 or S3 and decrypts them on their way back, whole or by range, with the method
 * shapes of `R2Bucket`. `delete` and `list` are the bucket's own: they need no key.
 *
 * An object is bound to its key, context and custom metadata: moved, changed, cut or extended objects are refused as
 * `ERR_DECRYPT_FAILED`. It cannot detect that an attacker restored an older version under the same key.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { EnvKeyProvider } from 'edge-kms/local'
 * import { EncryptedBucket, r2Bucket, type R2BucketBinding } from 'edge-kms/objects'
 *
 * export function filesOf(env: { readonly FILES: R2BucketBinding }): EncryptedBucket {
 *   return new EncryptedBucket({
 *     bucket: r2Bucket(env.FILES),
 *     cipher: new EnvelopeCipher({ kms: new EnvKeyProvider(env) }),
 *     contextOf: (key) => ({ tenant: key.split('/')[0] ?? '' }),
 *   })
 * }
 * ```
 */
export class EncryptedBucket {
  readonly #settings: BucketSettings

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: EncryptedBucketOptions) {
    this.#settings = bucketSettings(options)
    STORES.set(this, this.#settings.store)
  }

  /**
   * Encrypts a value and writes it; the answer means that all of it is stored.
   *
   * If it throws, the bucket is unchanged, with two exceptions: after an abort of `signal`, or if the store's answer
   * and that of the check after it were both lost, the whole new object may be there.
   *
   * Memory: at most `partsAtOnce` + 1 parts. A stream on Workers whose length is known needs less than 1 MiB.
   *
   * @param value - bytes are copied; a stream is read once, and cancelled on failure
   * @throws KmsError `ERR_STORE_CONFLICT` if the condition does not hold, `ERR_STORE_UNAVAILABLE`,
   * `ERR_KMS_UNSUPPORTED` for a condition that the store cannot honour, `ERR_CONTEXT_INVALID`, `ERR_KMS_CONFIG`, or
   * the KMS's error
   * @throws RangeError, TypeError for a wrong key, value or length
   */
  put(key: string, value: ObjectValue, options: PutObjectOptions = {}): Promise<PutObject> {
    return putObject(this.#settings, key, value, options)
  }

  /**
   * Reads an object, or a part of its plaintext; `null` if there is none.
   *
   * It resolves once the first bytes are verified, with the key, the context and the custom metadata. A range costs two
   * reads of the store up to 4 MiB, and one more for each further 4 MiB.
   *
   * @throws KmsError `ERR_DECRYPT_FAILED`, `ERR_WIRE_*` for what `EncryptedBucket` did not write,
   * `ERR_STORE_UNAVAILABLE`, `ERR_STORE_CONFLICT` (retryable) if the object was replaced meanwhile, or the KMS's error;
   * the body errors with the same
   * @throws RangeError if nothing of the range lies in the object
   */
  get(
    key: string,
    options: GetObjectOptions & { readonly onlyIf: NonNullable<GetObjectOptions['onlyIf']> },
  ): Promise<EncryptedObject | ObjectNotRead | null>
  get(
    key: string,
    options?: GetObjectOptions & { readonly onlyIf?: undefined },
  ): Promise<EncryptedObject | null>
  get(
    key: string,
    options: GetObjectOptions = {},
  ): Promise<EncryptedObject | ObjectNotRead | null> {
    return getObject(this.#settings, key, options)
  }

  /**
   * Returns what the store and the object itself say, `null` if there is none. It asks no KMS, so nothing of `unverified`
   * is proven: `get` with a range of one byte proves it.
   *
   * @throws KmsError `ERR_WIRE_*`, `ERR_STORE_UNAVAILABLE`; `ERR_DECRYPT_FAILED` for an object whose length cannot be
   */
  async head(
    key: string,
    options: Pick<ObjectCallSignal, 'signal'> = {},
  ): Promise<ObjectHead | null> {
    checkObjectKey(key)
    checkHeadOptions(options)
    const found = await readStoredEnvelope(this.#settings.store, { key, signal: options.signal })
    if (found.state !== 'found') return null
    const { object, metadata, plaintextBytes } = found.content
    return {
      ...factsOf(key, object),
      unverified: { size: plaintextBytes, customMetadata: metadata.custom },
    }
  }

  /**
   * Puts the object's data key under the KEKs that are configured now; `null` if the object does not exist.
   *
   * An object by reference stays as it is, and its data-key record is rewrapped: with it, every object under the same
   * data key. Any other object is read and written again, body unread, unless somebody replaced it meanwhile. Metadata
   * that `EncryptedBucket` did not write is lost then.
   *
   * @throws KmsError `ERR_STORE_CONFLICT` if the object was replaced meanwhile; `ERR_KMS_UNSUPPORTED` for an object on R2
   * above 4.995 GiB; `ERR_ENVELOPE_UNKNOWN_REFERENCE`, `ERR_STORE_UNAVAILABLE`, and as `EnvelopeCipher.rewrap`
   */
  rewrap(key: string, options: RewrapObjectOptions = {}): Promise<RewrappedObject | null> {
    return rewrapObject(this.#settings, key, options)
  }
}
