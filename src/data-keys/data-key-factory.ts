import { wrongNumber } from '../checks/index.ts'
import type { DerivedKeys, SubkeyPool } from '../ciphers/index.ts'
import { KmsError, type Outcome, settle, valueOf } from '../errors.ts'
import {
  type CanonicalContext,
  type EncryptionContext,
  frozenMap,
  kmsContext,
  type KmsSignalOptions,
  recognizes,
  type SecretBytes,
  type UnwrappedDataKey,
  type WrappedKey,
} from '../kms/index.ts'
import { type DataKeyFields, encodeKeyHeader, type KeyHeader, LIMITS } from '../wire/index.ts'
import { askKms, askMany } from './ask.ts'
import { FailedHeaders } from './cache/failed-headers.ts'
import { DataEncryptionKey } from './data-encryption-key.ts'
import { creationTime } from './data-key-limits.ts'
import type { RewrapKeyOptions } from './data-key-source.ts'
import { deriveKeys, openKeys } from './derive-keys.ts'
import { Generation } from './generation.ts'
import { checkHeader, demandKeys } from './header-policy.ts'
import { type Opening, openingOf, tryWraps } from './opening.ts'
import { rewrapKey } from './rewrap-key.ts'
import type { SourceSettings } from './source-options.ts'

/**
 * Makes, opens and rewraps data keys: from an answer of the KMS to a verified key and back. It remembers
 * no key, only which headers failed a moment ago.
 */
export class DataKeyFactory {
  readonly failed: FailedHeaders
  readonly #settings: SourceSettings
  readonly #subkeys: () => SubkeyPool
  #generation = new Generation()

  /** @param subkeys - the pool that a new data key keeps its subkeys in */
  constructor(settings: SourceSettings, subkeys: () => SubkeyPool) {
    this.#settings = settings
    this.#subkeys = subkeys
    this.failed = new FailedHeaders(settings.runtime)
  }

  /** Makes a new data key. */
  async make(context: CanonicalContext, options: KmsSignalOptions): Promise<DataEncryptionKey> {
    const { runtime } = this.#settings
    const generation = this.#generation
    const fields: DataKeyFields = {
      salt: runtime.randomFill(new Uint8Array(LIMITS.saltBytes)), // W2.2
      createdAtMs: creationTime(runtime.now()),
      stored: this.#stored(context.map),
    }
    const k = kmsContext(context.map, fields.salt, fields.createdAtMs)
    const asked = { ...options, context: k }
    const { plaintext, wraps } = await askKms(this.#settings, 'generateDataKey', asked)
    const keys = await deriveKeys(plaintext, fields, context)
    if (keys === undefined) {
      const message = 'a data key must be 32 random bytes'
      throw new KmsError('ERR_KMS_RESPONSE_INVALID', { message })
    }
    const header = this.#write({ ...fields, commitment: keys.commitment }, wraps, k)
    return this.#keyOf(header, context, keys, generation)
  }

  /** Checks a header and the caller's context, as far as that needs no I/O (W6.1). */
  check(header: KeyHeader, context: EncryptionContext | undefined): void {
    const { requiredContextKeys } = this.#settings.policy
    checkHeader(
      { requiredContextKeys, canOpen: (...given) => this.canOpen(...given) },
      header,
      context,
    )
  }

  /**
   * Readies a header that passed {@link check} for opening.
   *
   * @throws KmsError of the same code, if it failed a moment ago
   */
  async admit(header: KeyHeader, context: EncryptionContext | undefined): Promise<Opening> {
    const opening = await openingOf(this.#settings.kms, header, context)
    this.failed.check(opening)
    return opening
  }

  /**
   * Opens a header: the KMS unwraps, the commitment is verified.
   *
   * @param first - the KMS's answer about its wraps, where it was asked already
   * @param generation - of the time when the KMS was asked
   */
  open(
    opening: Opening,
    options: KmsSignalOptions,
    first?: Outcome<UnwrappedDataKey>,
    generation: Generation = this.#generation,
  ): Promise<DataEncryptionKey> {
    const { header, canonical } = opening
    const accept = (plaintext: SecretBytes): Promise<DerivedKeys | undefined> =>
      openKeys(plaintext, header, canonical)
    return this.failed.learn(opening, async () => {
      const keys = await tryWraps(this.#settings, opening, options, accept, first && valueOf(first))
      return this.#keyOf(header, canonical, keys, generation)
    })
  }

  /** Opens many headers with one question to the KMS: in order, one outcome for each. */
  async openMany(
    openings: readonly Opening[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<DataEncryptionKey>[]> {
    const generation = this.#generation
    const answers = await settle(() => askMany(this.#settings, openings, options))
    return Promise.all(
      openings.map((opening, i) =>
        settle(() => this.open(opening, options, valueOf(answers)[i], generation)),
      ),
    )
  }

  /** Replaces every wrap by the configured set (W3.30); all else stays (W3.31). */
  async rewrap(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    options: RewrapKeyOptions,
  ): Promise<KeyHeader> {
    this.check(header, context)
    const opening = await this.admit(header, context)
    const wraps = await rewrapKey(this.#settings, this.failed, opening, options)
    return this.#write(header, wraps, opening.context)
  }

  /** Whether one of the wraps is for a configured key: for one of this context, where it picks them. No I/O. */
  canOpen(wraps: readonly WrappedKey[], context?: EncryptionContext): boolean {
    return wraps.some((wrap) => recognizes(this.#settings.kms, wrap, context))
  }

  /** Ends the generation: keys that were made or learnt before are used for nothing new (W5.7). */
  clear(): void {
    this.#generation.ended = true
    this.#generation = new Generation()
    this.failed.clear()
  }

  #keyOf(
    header: KeyHeader,
    context: CanonicalContext,
    keys: DerivedKeys,
    generation: Generation,
  ): DataEncryptionKey {
    const { runtime } = this.#settings
    const ports = { runtime, generation, subkeys: this.#subkeys() }
    return new DataEncryptionKey(header, context, keys, ports)
  }

  /** A header that a reader with this service and policy would refuse must not leave. */
  #write(
    fields: DataKeyFields & Pick<KeyHeader, 'commitment'>,
    wraps: readonly WrappedKey[],
    context: EncryptionContext,
  ): KeyHeader {
    const { maxWraps } = this.#settings.policy
    if (wraps.length > maxWraps) {
      throw wrongNumber('maxWraps', `at least ${String(wraps.length)} for these KEKs`, maxWraps)
    }
    try {
      const header = encodeKeyHeader(fields, wraps)
      // A service that only encrypts need not know its wraps again.
      const { usage } = this.#settings.kms.capabilities
      if (usage === 'encrypt' || this.canOpen(wraps, context)) return header
    } catch {
      // The service made what the format cannot hold.
    }
    throw new KmsError('ERR_KMS_RESPONSE_INVALID')
  }

  /** Returns what the header may carry (W1.14); every required key must be there to be left out. */
  #stored(context: EncryptionContext): EncryptionContext {
    const { requiredContextKeys } = this.#settings.policy
    demandKeys(requiredContextKeys, Object.keys(context))
    const isStored = ([key]: [string, string]): boolean => !requiredContextKeys.includes(key)
    return frozenMap(Object.entries(context).filter(isStored))
  }
}
