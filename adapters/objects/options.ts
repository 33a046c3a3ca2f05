import {
  type Bounds,
  checkNumbers,
  configError,
  oneOf,
  plainOptions,
  refuseOthers,
  wrongOption,
} from '../../src/checks/index.ts'
import type { DataKeyStore, EncryptionContext, EnvelopeCipher } from '../../src/index.ts'
import { checkBinding } from '../../src/stores/index.ts'
import type { ObjectStore } from './object-store.ts'

/** Options of `EncryptedBucket`. */
export interface EncryptedBucketOptions {
  /** `r2Bucket(env.FILES)` or `s3Bucket({ … })`. */
  readonly bucket: ObjectStore
  readonly cipher: EnvelopeCipher
  /**
   * Returns the context of the object with this key, e.g. the tenant that the key begins with. The KMS sees the
   * context, and it selects the data key. It must never change for a key.
   */
  readonly contextOf: (key: string) => EncryptionContext
  /**
   * Returns the aad of the object with this key; `{ object: key }` by default, so that an object is refused under
   * another key. An `aadOf` without the key gives up this protection.
   */
  readonly aadOf?: (key: string) => EncryptionContext
  /** `inline` or `reference`, instead of the cipher's own `form`. */
  readonly form?: 'inline' | 'reference'
  /** The cipher's data-key store: `rewrap` of an object by reference needs it. */
  readonly dataKeyStore?: DataKeyStore
  /** Length of a part of an upload, 5 MiB to 100 MiB; 8 MiB by default. Shorter envelopes are written whole. */
  readonly partBytes?: number
  /** Parts that are sent at the same time, 1 to 16; 2 by default. A put holds one more part in memory. */
  readonly partsAtOnce?: number
}

/** Options of `EncryptedBucket`, complete. */
export interface BucketSettings {
  readonly store: ObjectStore
  readonly cipher: EnvelopeCipher
  readonly contextOf: (key: string) => EncryptionContext
  readonly aadOf: (key: string) => EncryptionContext
  readonly form: 'inline' | 'reference' | undefined
  readonly dataKeyStore: DataKeyStore | undefined
  readonly partBytes: number
  readonly partsAtOnce: number
}

const MIB = 1_048_576
const BOUNDS = {
  partBytes: { standard: 8 * MIB, least: 5 * MIB, most: 100 * MIB },
  partsAtOnce: { standard: 2, least: 1, most: 16 },
} as const satisfies Bounds<'partBytes' | 'partsAtOnce'>

/** @throws KmsError `ERR_KMS_CONFIG` */
export function bucketSettings(options: EncryptedBucketOptions): BucketSettings {
  const { bucket, cipher, contextOf, aadOf, form, dataKeyStore, ...more } = plainOptions(options)
  const { partBytes, partsAtOnce, ...others } = more
  refuseOthers(others)
  if (typeof contextOf !== 'function') throw wrongOption('contextOf', 'a function', contextOf)
  if (aadOf !== undefined && typeof aadOf !== 'function') {
    throw wrongOption('aadOf', 'a function', aadOf)
  }
  if (form !== undefined) oneOf('form', form, ['inline', 'reference'])
  if (dataKeyStore !== undefined) checkBinding('dataKeyStore', dataKeyStore, 'compareAndSwap')
  if (typeof (bucket as Partial<ObjectStore> | undefined)?.startUpload !== 'function') {
    throw configError('bucket must be what r2Bucket() or s3Bucket() returns')
  }
  return {
    store: bucket,
    cipher: checkBinding('cipher', cipher, 'startStream'),
    contextOf: (key) => plainOptions(contextOf(key), 'the answer of contextOf'),
    aadOf: aadOf ?? ((key) => ({ object: key })),
    form,
    dataKeyStore,
    ...checkNumbers(BOUNDS, { partBytes, partsAtOnce }),
  }
}
