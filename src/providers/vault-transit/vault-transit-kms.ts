import type { Outcome } from '../../errors.ts'
import {
  CONTEXT_LIMITS,
  demandUsage,
  type EncryptionContext,
  firstThatOpens,
  type GeneratedDataKey,
  healthOf,
  type HealthReport,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsSignalOptions,
  rewrapByUnwrapping,
  SecretBytes,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../../kms/index.ts'
import type { Runtime } from '../../ports/index.ts'
import { type DecryptItem, PROVIDER, type TransitApi } from './transit-api.ts'
import type { TransitKey } from './transit-key.ts'
import { unwrapInBatches } from './unwrap-in-batches.ts'
import { MAX_WRAPPED_BYTES, readWrapped, textOf, type WrappedText } from './wrapped-text.ts'

/** Parts of the service. */
export interface VaultTransitParts {
  readonly api: TransitApi
  readonly key: TransitKey
  readonly kekId: string
  readonly usage: KmsCapabilities['usage']
  readonly bindBy: 'associated-data' | 'derivation'
  readonly healthContext: EncryptionContext
  readonly runtime: Runtime
}

/** {@link KeyManagementService} over one transit key of Vault or OpenBao. */
export class VaultTransitKms implements KeyManagementService {
  readonly providerName: string = PROVIDER
  readonly capabilities: KmsCapabilities
  readonly #parts: VaultTransitParts

  constructor(parts: VaultTransitParts) {
    this.#parts = parts
    this.capabilities = Object.freeze({
      usage: parts.usage,
      bindsContext: true,
      // Vault's rewrap cannot take associated data: https://github.com/hashicorp/vault/issues/31791
      rewrapsInside: parts.bindBy === 'derivation',
      rotates: true,
      revealsVersion: true,
      batches: true,
      limits: {
        maxWrappedBytes: MAX_WRAPPED_BYTES,
        maxContextBytes: CONTEXT_LIMITS.maxContextBytes + 128,
      },
      keks: [parts.kekId],
    })
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return wrap.provider === PROVIDER && wrap.kekId === this.#parts.kekId
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    demandUsage(this, 'encrypt')
    const { api, key, bindBy, runtime } = this.#parts
    if (bindBy === 'derivation') {
      const binding = (await key.bindings(options))(options.context)
      const { made, plaintext } = await api.generateDataKey(binding, options)
      return { plaintext, wraps: [this.#wrapOf(made)] }
    }
    const plaintext = SecretBytes.take(runtime.randomFill(new Uint8Array(32)))
    try {
      return { plaintext, wraps: await this.wrapDataKey(plaintext, options) }
    } catch (error) {
      plaintext.dispose()
      throw error
    }
  }

  async wrapDataKey(
    plaintext: SecretBytes,
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    demandUsage(this, 'encrypt')
    if (plaintext.length !== 32) throw new TypeError('a DEK has 32 bytes')
    const { api, key } = this.#parts
    const binding = (await key.bindings(options))(options.context)
    return [this.#wrapOf(await api.encrypt(plaintext, binding, options))]
  }

  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    demandUsage(this, 'decrypt')
    return this.#firstThatOpens(wraps, options, async (item, by) =>
      this.#opened(await this.#parts.api.decrypt(item, options), by),
    )
  }

  async unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    demandUsage(this, 'decrypt')
    const ours = items.map(({ wraps, context }) => ({ wraps: this.#ours(wraps), context }))
    const { api, key } = this.#parts
    return unwrapInBatches(ours, options, {
      bindings: () => key.bindings(options),
      decrypt: (batch) => api.decryptMany(batch, options),
      opened: (plaintext, by) => this.#opened(plaintext, by),
    })
  }

  async rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    demandUsage(this, 'both')
    if (this.capabilities.rewrapsInside) {
      return this.#firstThatOpens(wraps, options, async (item) => [
        this.#wrapOf(await this.#parts.api.rewrap(item, options)),
      ])
    }
    return rewrapByUnwrapping(this, wraps, options)
  }

  async currentVersion(options: KmsSignalOptions = {}): Promise<readonly KekVersion[]> {
    return [this.#version(await this.#parts.key.latest(options))]
  }

  async rotateKey(options: KmsSignalOptions = {}): Promise<readonly KekVersion[]> {
    options.signal?.throwIfAborted()
    const { api, key } = this.#parts
    return [this.#version(key.learn((await api.rotate(options)).latestVersion))]
  }

  healthCheck(options: KmsSignalOptions = {}): Promise<HealthReport> {
    const { kekId, healthContext: context } = this.#parts
    return healthOf(PROVIDER, kekId, options, () => this.#try({ ...options, context }))
  }

  /** Vault has no dry run: a key of no data is wrapped and opened again. */
  async #try(options: KmsCallOptions): Promise<void> {
    const { usage } = this.capabilities
    if (usage === 'decrypt') {
      await this.#parts.key.latest(options)
      return
    }
    const { plaintext, wraps } = await this.generateDataKey(options)
    plaintext.dispose()
    if (usage === 'both') (await this.unwrapDataKey(wraps, options)).plaintext.dispose()
  }

  /** Tries the wraps that are ours, one call for each, until one opens. */
  async #firstThatOpens<T>(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
    open: (item: DecryptItem, by: WrappedKey) => Promise<T>,
  ): Promise<T> {
    const candidates = this.#ours(wraps)
    // No binding is asked for without a wrap to open.
    const bind = candidates.length > 0 ? await this.#parts.key.bindings(options) : undefined
    return firstThatOpens(PROVIDER, candidates, options.signal, async ({ ciphertext, by }) => {
      if (ciphertext === undefined || bind === undefined) return undefined
      return open({ ciphertext, binding: bind(options.context) }, by)
    })
  }

  /** Our own wraps, each with its text where that is one that this service could have written (W3.23). */
  #ours(
    wraps: readonly WrappedKey[],
  ): readonly { readonly by: WrappedKey; readonly ciphertext: string | undefined }[] {
    return wraps
      .filter((wrap) => this.canUnwrap(wrap))
      .map((by) => {
        const read = readWrapped(textOf(by.wrapped))
        return { by, ciphertext: read?.kekVersion === by.kekVersion ? read.text : undefined }
      })
  }

  #opened(plaintext: SecretBytes, by: WrappedKey): UnwrappedDataKey {
    const isOld = this.#parts.key.isOutdated(by.kekVersion)
    return { plaintext, by, ...(isOld && { current: false }) }
  }

  #wrapOf({ bytes, kekVersion }: WrappedText): WrappedKey {
    return { ...this.#version(this.#parts.key.learn(Number(kekVersion))), wrapped: bytes }
  }

  #version(version: number): KekVersion {
    return { provider: PROVIDER, kekId: this.#parts.kekId, kekVersion: String(version) }
  }
}
