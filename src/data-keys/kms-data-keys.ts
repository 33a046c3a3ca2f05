import { type Bytes, equalBytes } from '../bytes/index.ts'
import { KmsError, type Outcome } from '../errors.ts'
import {
  type CanonicalContext,
  canonicalContext,
  type EncryptionContext,
  type KeyManagementService,
  kmsContext,
  type KmsSignalOptions,
  type UnwrappedDataKey,
  type WrappedKey,
} from '../kms/index.ts'
import type { DataKeyStore, Runtime } from '../ports/index.ts'
import { webRuntime } from '../runtime/index.ts'
import {
  type DataKeyFields,
  encodeKeyHeader,
  type KeyHeader,
  LIMITS,
  parseMessage,
} from '../wire/index.ts'
import { DataEncryptionKey } from './data-encryption-key.ts'
import { creationTime, type DataKeyLimits, dataKeyLimits, inRange } from './data-key-limits.ts'
import { persistDataKey, readDataKeyRecord } from './data-key-records.ts'
import type {
  ActiveKeyOptions,
  DataKeyPolicy,
  DataKeySource,
  OpenRequest,
  RewrapKeyOptions,
} from './data-key-source.ts'
import { deriveKeys, openKeys } from './derive-keys.ts'
import { checkHeader, eligibleWraps, withoutWrap } from './header-policy.ts'
import { OpenBatch, type OpenBatchItem, settle } from './open-batch.ts'
import { rewrapHeader } from './rewrap-header.ts'

/** Options of {@link KmsDataKeys}. */
export interface KmsDataKeysOptions extends Partial<DataKeyLimits> {
  readonly kms: KeyManagementService
  /** Context keys that every message must have and that no header carries. */
  readonly requiredContextKeys?: readonly string[]
  /** The most wraps that a header may have, 1 to 16; 5 by default. */
  readonly maxWraps?: number
  /** Where data-key records of messages by reference live. */
  readonly dataKeyStore?: DataKeyStore
  readonly runtime?: Runtime
}

/** A {@link DataKeySource} without a cache: one data key for each message, one unwrap for each read. */
export class KmsDataKeys implements DataKeySource {
  readonly limits: DataKeyLimits
  readonly runtime: Runtime
  readonly kms: KeyManagementService
  readonly policy: DataKeyPolicy
  readonly #store: DataKeyStore | undefined

  constructor(options: KmsDataKeysOptions) {
    this.kms = options.kms
    this.limits = dataKeyLimits(options)
    this.runtime = options.runtime ?? webRuntime
    const { maxWraps = LIMITS.defaultMaxWraps } = options
    this.policy = Object.freeze({
      requiredContextKeys: Object.freeze([...(options.requiredContextKeys ?? [])]),
      maxWraps: inRange('maxWraps', maxWraps, 1, LIMITS.maxWraps), // W3.10
      references: options.dataKeyStore !== undefined,
    })
    this.#store = options.dataKeyStore
    if (this.#store !== undefined && this.#store.consistency !== 'strong') {
      throw new KmsError('ERR_KMS_CONFIG', {
        message: 'a data-key store must be strong', // W4.26
      })
    }
  }

  async active(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): Promise<DataEncryptionKey> {
    const key = await this.#make(canonicalContext(context), options)
    if (options.durable) await this.makeDurable(key, options)
    if (!key.reserve(this.limits, this.runtime.now(), options.bytes)) {
      throw new KmsError('ERR_DATA_KEY_EXHAUSTED')
    }
    return key
  }

  async open(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    checkHeader(this.kms, header, context)
    return this.#openWith(
      eligibleWraps(this.kms, header),
      header,
      canonicalContext(context),
      options,
    )
  }

  async openMany(
    requests: readonly OpenRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<DataEncryptionKey>[]> {
    const batch = new OpenBatch(this.kms, requests)
    const unwrapped =
      batch.items.length === 0 ? [] : await this.kms.unwrapMany(batch.items, options)
    const opened = await Promise.all(
      unwrapped.map((outcome, i) => {
        const item = batch.items[i] as OpenBatchItem
        return settle(() => this.#accept(outcome, item, options))
      }),
    )
    return batch.spread(opened)
  }

  async byReference(
    commitment: Bytes,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    const header = await this.headerOf(commitment, options)
    return this.open(header, context, options)
  }

  recall(): undefined {
    return undefined
  }

  async rewrap(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: RewrapKeyOptions,
  ): Promise<KeyHeader> {
    return this.#demandReadable(await rewrapHeader(this.kms, header, context, options))
  }

  canOpen(wraps: readonly WrappedKey[]): boolean {
    return wraps.some((wrap) => this.kms.canUnwrap(wrap))
  }

  clear(): void {
    // Nothing is held.
  }

  async headerOf(commitment: Bytes, options: KmsSignalOptions): Promise<KeyHeader> {
    const record = await readDataKeyRecord(this.#store, commitment, options)
    const { header } = parseMessage(record, {
      acceptVersions: [1],
      acceptKinds: ['data-key-record'],
      maxWraps: this.policy.maxWraps,
    })
    // W4.23: the message says which data key it needs; what the store holds is only a claim.
    if (header === undefined || !equalBytes(header.commitment, commitment)) {
      throw new KmsError('ERR_DECRYPT_FAILED')
    }
    return header
  }

  /** Writes the data-key record if that was not done yet, before the first message leaves (W4.24). */
  async makeDurable(key: DataEncryptionKey, options: KmsSignalOptions): Promise<void> {
    if (key.durable) return
    await persistDataKey(this.#store, key.header, options)
    key.durable = true
  }

  async #make(context: CanonicalContext, options: KmsSignalOptions): Promise<DataEncryptionKey> {
    const fields: DataKeyFields = {
      salt: this.runtime.randomFill(new Uint8Array(LIMITS.saltBytes)), // W2.2
      createdAtMs: creationTime(this.runtime.now()),
      stored: this.#stored(context.map),
    }
    const k = kmsContext(context.map, fields.salt, fields.createdAtMs)
    const { plaintext, wraps } = await this.kms.generateDataKey({
      signal: options.signal,
      defer: options.defer,
      context: k,
    })
    const keys = await deriveKeys(plaintext, fields, context)
    const header = encodeKeyHeader({ ...fields, commitment: keys.commitment }, wraps)
    return new DataEncryptionKey(this.#demandReadable(header), context, keys)
  }

  /** A header that a reader with this policy would refuse must not leave. */
  #demandReadable(header: KeyHeader): KeyHeader {
    if (header.wraps.length <= this.policy.maxWraps) return header
    throw new KmsError('ERR_KMS_CONFIG', {
      message: 'more keys than maxWraps allows',
    })
  }

  /** W1.14: what the header may carry; every required key must be there to be left out. */
  #stored(context: EncryptionContext): EncryptionContext {
    const required = new Set(this.policy.requiredContextKeys)
    const stored = Object.create(null) as Record<string, string>
    for (const key of Object.keys(context)) {
      if (!required.delete(key)) stored[key] = context[key] as string
    }
    if (required.size > 0) {
      throw new KmsError('ERR_CONTEXT_INVALID', { message: 'a required context key is missing' })
    }
    return Object.freeze(stored)
  }

  async #openWith(
    eligible: readonly WrappedKey[],
    header: KeyHeader,
    context: CanonicalContext,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    const k = kmsContext(context.map, header.salt, header.createdAtMs)
    let wraps = eligible
    while (wraps.length > 0) {
      const opened = await this.kms.unwrapDataKey(wraps, {
        signal: options.signal,
        defer: options.defer,
        context: k,
      })
      const keys = await openKeys(opened.plaintext, header, context)
      if (keys !== undefined) return new DataEncryptionKey(header, context, keys)
      // W3.29: a wrap that opens to another DEK must not hide the one that is right.
      wraps = withoutWrap(wraps, opened.by)
    }
    throw new KmsError('ERR_DECRYPT_FAILED')
  }

  async #accept(
    outcome: Outcome<UnwrappedDataKey>,
    item: OpenBatchItem,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    if (!outcome.ok) throw outcome.error
    const { header, canonical, wraps } = item
    const keys = await openKeys(outcome.value.plaintext, header, canonical)
    if (keys !== undefined) return new DataEncryptionKey(header, canonical, keys)
    const others = withoutWrap(wraps, outcome.value.by)
    return this.#openWith(others, header, canonical, options)
  }
}
