import { KmsError, type KmsErrorCode, type Outcome, settle } from '../errors.ts'
import {
  type EncryptionContext,
  type GeneratedDataKey,
  healthOf,
  type HealthReport,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsKekOptions,
  type KmsSignalOptions,
  recognizes,
  type SecretBytes,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../kms/index.ts'
import {
  byContextSettings,
  type ByContextSettings,
  type KmsByContextOptions,
} from './by-context-options.ts'
import { keyNameOf } from './key-name-of.ts'
import { KmsPool } from './kms-pool.ts'
import { memberReport, someReport } from './members.ts'
import { openByKek } from './open-by-kek.ts'

const PROVIDER = 'by-context'
/** KMSs that a health check without a context asks. */
const SAMPLE = 3

/**
 * Returns a KMS that picks the KEK by the encryption context, for customers that own their keys. A wrap is
 * opened with the KEK of the caller's context only: another customer's KEK is never called, and one
 * customer's outage or disabled key has no effect on another's data.
 *
 * @remarks Put the cache outside (`CachedKms`, `EnvelopeCipher`), and retries and circuits inside `create`: one
 * circuit around all customers would refuse all of them when one fails. `healthCheck` without a context tests the
 * three KEKs used last. It is healthy if one of them is, or if none was used yet. `rotateKey` and `currentVersion`
 * require a context.
 * @throws KmsError `ERR_KMS_CONFIG`
 * @example
 * ```ts
 * import { composeKms, EnvelopeCipher, type KeyManagementService, kmsByContext } from 'edge-kms'
 *
 * export function cipherOf(
 *   keys: ReadonlyMap<string, string>,
 *   kmsOf: (keyId: string) => KeyManagementService,
 * ): EnvelopeCipher {
 *   const kms = kmsByContext({
 *     keyFor: ({ tenant = '' }) => keys.get(tenant),
 *     create: (keyId) => composeKms(kmsOf(keyId)),
 *   })
 *   return new EnvelopeCipher({ kms })
 * }
 * ```
 */
export function kmsByContext(options: KmsByContextOptions): KmsByContext {
  return new KmsByContext(byContextSettings(options))
}

/** The KMS that {@link kmsByContext} returns. */
export class KmsByContext implements KeyManagementService {
  readonly providerName: string = PROVIDER
  readonly capabilities: KmsCapabilities
  readonly #settings: ByContextSettings
  readonly #pool: KmsPool

  /** @internal Call {@link kmsByContext}. */
  constructor(settings: ByContextSettings) {
    const { capabilities, create, check, maxEntries, ports } = settings
    this.#settings = settings
    this.capabilities = capabilities
    this.#pool = new KmsPool(create, check, maxEntries, ports)
  }

  /** Returns how many KMSs are in memory, and how many were evicted. */
  stats(): { readonly entries: number; readonly evictions: number } {
    return this.#pool.stats()
  }

  /**
   * Drops the KMS of one key name, or of all. Call it after credentials or a customer's key have changed: the next
   * call creates the KMS again. Data keys stay in the cache above; `CachedKms.invalidate` drops them.
   */
  forget(keyName?: string): void {
    this.#pool.forget(keyName)
  }

  /**
   * Returns whether a wrap may be for the KEK of the context. It also returns `true` without a context, and if the
   * KMS of that KEK is not in memory: only `unwrapDataKey` can then decide.
   */
  canUnwrap(wrap: WrappedKey, context?: EncryptionContext): boolean {
    if (context === undefined) return true
    const keyName = this.#nameOf(context)
    if (keyName === undefined) return false
    const held = this.#pool.held(keyName)
    return held === undefined || recognizes(held, wrap, context)
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    return (await this.#of(options)).generateDataKey(options)
  }

  async wrapDataKey(
    plaintext: SecretBytes,
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    return (await this.#of(options)).wrapDataKey(plaintext, options)
  }

  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    const [kms, ours] = await this.#ours(wraps, options)
    return kms.unwrapDataKey(ours, options)
  }

  /** Sends each KEK its part of the batch. If a KEK fails or times out, only its own items fail. */
  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    const nameOf = (context: EncryptionContext): string | undefined => this.#nameOf(context)
    const find = (keyName: string, given: KmsSignalOptions): Promise<KeyManagementService> =>
      this.#pool.get(keyName, given)
    return openByKek(items, { nameOf, find }, options, this.#settings.ports)
  }

  async rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    const [kms, ours] = await this.#ours(wraps, options)
    return kms.rewrapDataKey(ours, options)
  }

  /** @throws KmsError `ERR_KMS_UNSUPPORTED` without a context */
  async currentVersion(options: KmsKekOptions = {}): Promise<readonly KekVersion[]> {
    return (await this.#meant(options)).currentVersion(options)
  }

  /** @throws KmsError `ERR_KMS_UNSUPPORTED` without a context */
  async rotateKey(options: KmsKekOptions = {}): Promise<readonly KekVersion[]> {
    return (await this.#meant(options)).rotateKey(options)
  }

  async healthCheck(options: KmsKekOptions = {}): Promise<HealthReport> {
    options.signal?.throwIfAborted()
    if (options.context === undefined) return someReport(this.#pool.recent(SAMPLE), options)
    const call = { ...options, context: options.context }
    const kms = await settle(() => this.#of(call))
    options.signal?.throwIfAborted()
    if (!kms.ok) return healthOf(PROVIDER, '', options, () => Promise.reject(kms.error))
    return memberReport(kms.value, options)
  }

  /** Returns the KMS of the context, and those of the wraps that are for its KEK. */
  async #ours(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly [KeyManagementService, readonly WrappedKey[]]> {
    const unknown = 'ERR_ENVELOPE_UNKNOWN_KEY'
    options.signal?.throwIfAborted()
    if (wraps.length === 0) throw new KmsError(unknown, { provider: PROVIDER })
    const kms = await this.#of(options, unknown)
    const ours = wraps.filter((wrap) => recognizes(kms, wrap, options.context))
    if (ours.length === 0) throw new KmsError(unknown, { provider: PROVIDER })
    return [kms, ours]
  }

  async #of(
    options: KmsCallOptions,
    code: KmsErrorCode = 'ERR_KMS_KEY_NOT_FOUND',
  ): Promise<KeyManagementService> {
    options.signal?.throwIfAborted()
    const keyName = this.#nameOf(options.context)
    if (keyName !== undefined) return this.#pool.get(keyName, options)
    const message = 'keyFor returned undefined: this context does not have a KEK'
    throw new KmsError(code, { provider: PROVIDER, message })
  }

  async #meant({ context, ...options }: KmsKekOptions): Promise<KeyManagementService> {
    options.signal?.throwIfAborted()
    if (context !== undefined) return this.#of({ ...options, context })
    const message = 'each context has its own KEK: pass the context that selects it'
    throw new KmsError('ERR_KMS_UNSUPPORTED', { provider: PROVIDER, message })
  }

  #nameOf(context: EncryptionContext): string | undefined {
    return keyNameOf(this.#settings.keyFor, context)
  }
}
