import type { Bytes } from '../bytes/index.ts'
import { KmsError, type Outcome } from '../errors.ts'
import {
  canonicalContext,
  type EncryptionContext,
  type KmsSignalOptions,
  type WrappedKey,
} from '../kms/index.ts'
import type { KeyHeader } from '../wire/index.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import { DataKeyFactory } from './data-key-factory.ts'
import { mayEncryptAt } from './data-key-limits.ts'
import type {
  ActiveKeyOptions,
  DataKeyPolicy,
  DataKeySource,
  OpenRequest,
  RewrapKeyOptions,
} from './data-key-source.ts'
import { SUBKEYS } from './defaults.ts'
import { openMany } from './open-many.ts'
import { DataKeyRecords } from './records/data-key-records.ts'
import { type KmsDataKeysOptions, type SourceSettings, sourceSettings } from './source-options.ts'
import { SubkeyPool } from './subkeys.ts'

/** A `DataKeySource` without a cache: one data key for each message, one unwrap for each read. */
export class KmsDataKeys implements DataKeySource {
  readonly policy: DataKeyPolicy
  readonly #settings: SourceSettings
  readonly #factory: DataKeyFactory
  readonly #records: DataKeyRecords

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: KmsDataKeysOptions) {
    const settings = sourceSettings(options)
    this.policy = settings.policy
    this.#settings = settings
    this.#factory = new DataKeyFactory(settings, () => new SubkeyPool(SUBKEYS.ofKey))
    this.#records = new DataKeyRecords(settings, this.#factory)
  }

  async active(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): Promise<DataEncryptionKey> {
    const key = await this.#factory.make(canonicalContext(context), options)
    const { runtime, limits } = this.#settings
    if (!mayEncryptAt(key.header.createdAtMs, limits.encryptForMs, runtime.now())) {
      throw new KmsError('ERR_DATA_KEY_EXHAUSTED') // the KMS took longer than a key may be used
    }
    return this.#records.ready(key, options)
  }

  async open(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    this.#factory.check(header, context)
    return this.#factory.open(await this.#factory.admit(header, context), options)
  }

  openMany(
    requests: readonly OpenRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<DataEncryptionKey>[]> {
    return openMany(this.#factory, requests, options)
  }

  async byReference(
    commitment: Bytes,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    return this.open(await this.headerOf(commitment, options), context, options)
  }

  headerOf(commitment: Bytes, options: KmsSignalOptions): Promise<KeyHeader> {
    return this.#records.headerOf(commitment, options)
  }

  recall(): undefined {
    return undefined
  }

  rewrap(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: RewrapKeyOptions,
  ): Promise<KeyHeader> {
    return this.#factory.rewrap(header, context, options)
  }

  canOpen(wraps: readonly WrappedKey[]): boolean {
    return this.#factory.canOpen(wraps)
  }

  /** Fails the streams that are open, and forgets which headers failed. */
  clear(): void {
    this.#factory.clear()
  }
}
