import { type Bytes, equalBytes } from '../bytes/index.ts'
import { KmsError, type Outcome } from '../errors.ts'
import { wrongOption } from '../checks/index.ts'
import {
  canonicalContext,
  frozenMap,
  type EncryptionContext,
  type KeyManagementService,
  kmsContext,
  type KmsSignalOptions,
  type SecretBytes,
  type UnwrappedDataKey,
  type WrappedKey,
} from '../kms/index.ts'
import type { DerivedKeys } from '../ciphers/index.ts'
import type { DataKeyStore, Runtime } from '../ports/index.ts'
import {
  type DataKeyFields,
  encodeKeyHeader,
  type KeyHeader,
  LIMITS,
  parseMessage,
} from '../wire/index.ts'
import { askKms, askMany } from './ask.ts'
import { DataEncryptionKey } from './data-encryption-key.ts'
import { creationTime, type DataKeyLimits } from './data-key-limits.ts'
import { persistDataKey, readDataKeyRecord } from './data-key-records.ts'
import type {
  ActiveKeyOptions,
  DataKeyPolicy,
  DataKeySource,
  Defer,
  MaybePromise,
  OpenRequest,
  RewrapKeyOptions,
} from './data-key-source.ts'
import { deriveKeys, openKeys } from './derive-keys.ts'
import { FailedHeaders } from './failed-headers.ts'
import type { HeldKeys } from './held-keys.ts'
import { checkHeader, demandKeys } from './header-policy.ts'
import { headerId, type Opening, openingOf, settle, tryWraps, valueOf } from './opening.ts'
import { rewrapKey } from './rewrap-key.ts'
import { type KmsDataKeysOptions, sourceSettings } from './source-options.ts'

type Answer = Outcome<UnwrappedDataKey>

/** Data keys that a KMS wraps, with or without a memory of those that were opened. */
export class KmsSource implements DataKeySource {
  readonly limits: DataKeyLimits
  readonly runtime: Runtime
  readonly policy: DataKeyPolicy
  readonly #kms: KeyManagementService
  readonly #store: DataKeyStore | undefined
  readonly #failed: FailedHeaders
  readonly #held: HeldKeys | undefined
  readonly #durable = new WeakSet<DataEncryptionKey>()

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: KmsDataKeysOptions, held: HeldKeys | undefined) {
    const { kms, store, limits, policy, runtime } = sourceSettings(options)
    this.limits = limits
    this.runtime = runtime
    this.policy = policy
    this.#kms = kms
    this.#store = store
    this.#failed = new FailedHeaders(runtime)
    this.#held = held
  }

  /** How often a header was refused without a KMS call, because it failed a moment ago. */
  get refusals(): number {
    return this.#failed.refusals
  }

  active(
    context: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): MaybePromise<DataEncryptionKey> {
    return this.makeKey(context, options).then((key) => {
      if (key.reserve(this.limits, this.runtime.now(), options.bytes)) return key
      throw new KmsError('ERR_DATA_KEY_EXHAUSTED')
    })
  }

  open(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): MaybePromise<DataEncryptionKey> {
    return this.#heldFor(header, context, options) ?? this.openMissing(header, context, options)
  }

  async openMany(
    requests: readonly OpenRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<DataEncryptionKey>[]> {
    const epoch = this.#held?.opened.epoch
    // A page without its repetitions, so that each data key is unwrapped once.
    const distinct = new Map<string, Promise<Opening>>()
    const admit = ({ header, context }: OpenRequest): MaybePromise<DataEncryptionKey | Opening> => {
      const held = this.#heldFor(header, context, options)
      if (held !== undefined) return held
      const id = headerId(header, context)
      const opening = distinct.get(id) ?? this.#admit(header, context)
      distinct.set(id, opening)
      return opening
    }
    const admitted = await Promise.all(requests.map((request) => settle(() => admit(request))))
    const asked = new Set<Opening>()
    for (const outcome of admitted) {
      if (outcome.ok && !(outcome.value instanceof DataEncryptionKey)) asked.add(outcome.value)
    }
    const openings = [...asked]
    const answers = await settle(() => askMany(this.#kms, openings, options))
    const opened = new Map<unknown, Outcome<DataEncryptionKey>>()
    await Promise.all(
      openings.map(async (opening, i) => {
        const work = async (): Promise<DataEncryptionKey> =>
          this.#unwrap(opening, options, epoch, valueOf(valueOf(answers)[i] as Answer))
        opened.set(opening, await settle(() => this.#failed.learn(opening, work)))
      }),
    )
    return admitted.map(
      (outcome) =>
        (outcome.ok && opened.get(outcome.value)) || (outcome as Outcome<DataEncryptionKey>),
    )
  }

  byReference(
    commitment: Bytes,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): MaybePromise<DataEncryptionKey> {
    return (
      this.#held?.opened.named(commitment, context, this.runtime.now(), options.defer) ??
      this.headerOf(commitment, options).then((header) => this.open(header, context, options))
    )
  }

  recall(
    message: Bytes,
    context: EncryptionContext | undefined,
    defer: Defer,
  ): DataEncryptionKey | undefined {
    return this.#held?.opened.recall(message, context, this.runtime.now(), defer)
  }

  /** Every old wrap is dropped and exactly the configured set is written (W3.30); all else stays (W3.31). */
  async rewrap(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: RewrapKeyOptions,
  ): Promise<KeyHeader> {
    checkHeader(this, header, context)
    const opening = await this.#admit(header, context)
    return this.#write(header, await rewrapKey(this.#kms, this.#failed, opening, options))
  }

  canOpen(wraps: readonly WrappedKey[]): boolean {
    return wraps.some((wrap) => this.#kms.canUnwrap(wrap))
  }

  /** W5.7: nothing that was made or learnt before stays. */
  clear(): void {
    this.#held?.clear()
    this.#failed.clear()
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

  /** The data-key record was written by this source: messages may refer to it. */
  isDurable(key: DataEncryptionKey): boolean {
    return this.#durable.has(key)
  }

  /** Writes the data-key record if that was not done yet, before the first message leaves (W4.24). */
  async makeDurable(key: DataEncryptionKey, options: KmsSignalOptions): Promise<void> {
    if (this.isDurable(key)) return
    await persistDataKey(this.#store, key.header, options)
    this.#durable.add(key)
  }

  /** The key of a header that is not held; a cache shares the work. */
  openMissing(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    return this.openNew(header, context, options)
  }

  /** The key of a header, from the KMS. */
  async openNew(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: KmsSignalOptions,
  ): Promise<DataEncryptionKey> {
    const epoch = this.#held?.opened.epoch
    const opening = await this.#admit(header, context)
    return this.#failed.learn(opening, () => this.#unwrap(opening, options, epoch))
  }

  /** A key that is held for this header, once header and context are found right (W6.1). */
  #heldFor(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    { defer }: KmsSignalOptions,
  ): DataEncryptionKey | undefined {
    checkHeader(this, header, context)
    return this.#held?.opened.held(header, context, this.runtime.now(), defer)
  }

  /** A new data key; nothing is counted yet. */
  async makeKey(
    map: EncryptionContext | undefined,
    options: ActiveKeyOptions,
  ): Promise<DataEncryptionKey> {
    const context = canonicalContext(map)
    const fields: DataKeyFields = {
      salt: this.runtime.randomFill(new Uint8Array(LIMITS.saltBytes)), // W2.2
      createdAtMs: creationTime(this.runtime.now()),
      stored: this.#stored(context.map),
    }
    const k = kmsContext(context.map, fields.salt, fields.createdAtMs)
    const { plaintext, wraps } = await askKms(this.#kms, 'generateDataKey', {
      ...options,
      context: k,
    })
    const keys = await deriveKeys(plaintext, fields, context)
    const header = this.#write({ ...fields, commitment: keys.commitment }, wraps)
    const key = new DataEncryptionKey(header, context, keys)
    if (options.durable) await this.makeDurable(key, options)
    return key
  }

  /** A header that a reader with this service and policy would refuse must not leave. */
  #write(
    fields: DataKeyFields & Pick<KeyHeader, 'commitment'>,
    wraps: readonly WrappedKey[],
  ): KeyHeader {
    if (wraps.length > this.policy.maxWraps) throw wrongOption('maxWraps')
    try {
      const header = encodeKeyHeader(fields, wraps)
      // A service that only encrypts need not know its wraps again.
      if (this.#kms.capabilities.usage === 'encrypt' || this.canOpen(wraps)) return header
    } catch {
      // The service made what the format cannot hold.
    }
    throw new KmsError('ERR_KMS_RESPONSE_INVALID')
  }

  /** W1.14: what the header may carry; every required key must be there to be left out. */
  #stored(context: EncryptionContext): EncryptionContext {
    const { requiredContextKeys } = this.policy
    demandKeys(requiredContextKeys, Object.keys(context))
    const isStored = ([key]: [string, string]): boolean => !requiredContextKeys.includes(key)
    return frozenMap(Object.entries(context).filter(isStored))
  }

  /** What is to be opened, unless it failed a moment ago. */
  async #admit(header: KeyHeader, context: EncryptionContext | undefined): Promise<Opening> {
    const opening = openingOf(this.#kms, header, context)
    await this.#failed.check(opening)
    return opening
  }

  /** @param epoch - of the memory, when this was asked for: a key from before is not held */
  async #unwrap(
    opening: Opening,
    options: KmsSignalOptions,
    epoch: number | undefined,
    first?: UnwrappedDataKey,
  ): Promise<DataEncryptionKey> {
    const { header, canonical } = opening
    const accept = (plaintext: SecretBytes): Promise<DerivedKeys | undefined> =>
      openKeys(plaintext, header, canonical)
    const keys = await tryWraps(this.#kms, opening, options, accept, first)
    const key = new DataEncryptionKey(header, canonical, keys)
    this.#held?.opened.add(key, epoch, this.runtime.now())
    return key
  }
}
