import { wrongOption } from '../../checks/index.ts'
import { type Bytes, copyBytes, equalBytes, toBytes } from '../../bytes/index.ts'
import { KmsError } from '../../errors.ts'
import type { KmsSignalOptions } from '../../kms/index.ts'
import {
  dataKeyStoreKey,
  encodeHead,
  type KeyHeader,
  parseMessage,
  WIRE_VERSION,
} from '../../wire/index.ts'
import { askStore } from '../ask.ts'
import { DataEncryptionKey } from '../data-encryption-key.ts'
import type { DataKeyFactory } from '../data-key-factory.ts'
import type { ActiveKeyOptions, MaybePromise } from '../data-key-source.ts'
import type { SourceSettings } from '../source-options.ts'

/** The records of data keys that messages by reference refer to. */
export class DataKeyRecords {
  readonly #settings: SourceSettings
  readonly #factory: DataKeyFactory
  readonly #durable = new WeakSet<DataEncryptionKey>()

  constructor(settings: SourceSettings, factory: DataKeyFactory) {
    this.#settings = settings
    this.#factory = factory
  }

  /** Returns a key that messages may refer to, if the call asks for that; in this turn where it can. */
  ready(
    making: MaybePromise<DataEncryptionKey>,
    options: ActiveKeyOptions,
  ): MaybePromise<DataEncryptionKey> {
    if (!options.durable) return making
    if (making instanceof DataEncryptionKey && this.#durable.has(making)) return making
    return this.#made(making, options)
  }

  /**
   * Returns the header that a commitment names.
   *
   * @throws KmsError `ERR_ENVELOPE_UNKNOWN_REFERENCE`, `ERR_WIRE_KIND_REFUSED` without a store,
   * `ERR_DECRYPT_FAILED` if the record is that of another data key, `ERR_STORE_UNAVAILABLE`
   */
  async headerOf(commitment: Bytes, options: KmsSignalOptions): Promise<KeyHeader> {
    const { store } = this.#settings
    if (store === undefined) {
      throw new KmsError('ERR_WIRE_KIND_REFUSED', {
        message: 'the message is by reference, and dataKeyStore is not set: give it',
      })
    }
    const name = dataKeyStoreKey(commitment)
    const record = await this.#read(options, (signal) => store.get(name, { signal }))
    if (record === undefined) throw new KmsError('ERR_ENVELOPE_UNKNOWN_REFERENCE') // W4.25
    const header = this.#parse(record)
    // W4.23: the message says which data key it needs; what the store holds is only a claim.
    if (!equalBytes(header.commitment, commitment)) throw new KmsError('ERR_DECRYPT_FAILED')
    return header
  }

  /**
   * Writes the record of a data key and reads it back, before the first message leaves (W4.24). Another
   * process may have rewrapped the key since: a record with other wraps counts only if it opens.
   *
   * @throws KmsError `ERR_KMS_CONFIG` without a store, `ERR_STORE_UNAVAILABLE`
   */
  async #made(
    making: MaybePromise<DataEncryptionKey>,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    const key = await making
    if (this.#durable.has(key)) return key
    const { store } = this.#settings
    if (store === undefined) throw wrongOption('dataKeyStore', 'set for messages by reference')
    const record = encodeHead('data-key-record', key.header.bytes)
    const name = dataKeyStoreKey(key.header.commitment)
    const found = await this.#read(options, async (signal) => {
      await store.putIfAbsent(name, record, { signal })
      return store.get(name, { signal })
    })
    if (found === undefined || !equalBytes(found, record)) await this.#prove(found, key, options)
    this.#durable.add(key)
    return key
  }

  async #prove(
    found: Bytes | undefined,
    key: DataEncryptionKey,
    options: KmsSignalOptions,
  ): Promise<void> {
    if (found === undefined) throw new KmsError('ERR_STORE_UNAVAILABLE') // it was not kept
    try {
      const header = this.#parse(found)
      if (!equalBytes(header.fixedBytes, key.header.fixedBytes)) throw new Error('another data key')
      await this.#factory.open(await this.#factory.admit(header, key.context.map), options)
    } catch (cause) {
      options.signal?.throwIfAborted()
      const message = 'the store holds a record of this data key that does not open'
      throw new KmsError('ERR_STORE_UNAVAILABLE', { message, cause })
    }
  }

  #parse(record: Bytes): KeyHeader {
    const { header } = parseMessage(record, {
      acceptVersions: [WIRE_VERSION],
      acceptKinds: ['data-key-record'],
      maxWraps: this.#settings.policy.maxWraps,
    })
    return header as KeyHeader
  }

  #read(
    options: KmsSignalOptions,
    call: (signal: AbortSignal) => Promise<Uint8Array | undefined>,
  ): Promise<Bytes | undefined> {
    return askStore(this.#settings, options, async (signal) => {
      const found = await call(signal)
      // A copy here: bytes that are gone are the store's failure, not a TypeError later.
      return found === undefined ? found : copyBytes(toBytes(found, 'a data-key record'))
    })
  }
}
