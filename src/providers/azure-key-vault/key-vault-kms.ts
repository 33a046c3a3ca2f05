import { equalBytesConstantTime } from '../../bytes/index.ts'
import { KmsError, type Outcome } from '../../errors.ts'
import {
  CONTEXT_LIMITS,
  demandUsage,
  firstThatOpens,
  type GeneratedDataKey,
  healthOf,
  type HealthReport,
  type KekVersion,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsSignalOptions,
  rewrapByUnwrapping,
  SecretBytes,
  unwrapEach,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../../kms/index.ts'
import type { Runtime } from '../../ports/index.ts'
import { isVersion } from './key-id.ts'
import type { KeysApi } from './keys-api.ts'
import type { AzureKeyVaultKms } from './options.ts'
import { type AzureRotationPolicy, policyInput, readPolicy } from './rotation-policy.ts'
import { PROVIDER } from './vault-client.ts'

/** Parts of one instance. */
export interface KeyVaultParts {
  readonly api: KeysApi
  readonly keyId: string
  /** Lengths that a wrap of the configured algorithm can have, bytes. */
  readonly lengths: readonly number[]
  readonly usage: KmsCapabilities['usage']
  readonly runtime: Runtime
}

/** {@link AzureKeyVaultKms} over one key. */
export class KeyVaultKms implements AzureKeyVaultKms {
  readonly providerName: string = PROVIDER
  readonly capabilities: KmsCapabilities
  readonly #parts: KeyVaultParts

  constructor(parts: KeyVaultParts) {
    this.#parts = parts
    this.capabilities = Object.freeze({
      usage: parts.usage,
      // Neither RSA-OAEP nor AES-KW takes additional data here: the derivation alone binds the context.
      bindsContext: false,
      rewrapsInside: false,
      rotates: true,
      revealsVersion: true,
      batches: false,
      limits: {
        maxWrappedBytes: Math.max(...parts.lengths),
        // It is not sent: any context that the format can write will do.
        maxContextBytes: CONTEXT_LIMITS.maxContextBytes + 128,
      },
      keks: [parts.keyId],
    })
  }

  canUnwrap({ provider, kekId }: WrappedKey): boolean {
    return provider === PROVIDER && kekId === this.#parts.keyId
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    demandUsage(this, 'encrypt')
    const plaintext = SecretBytes.take(this.#parts.runtime.randomFill(new Uint8Array(32)))
    try {
      return { plaintext, wraps: await this.wrapDataKey(plaintext, options) }
    } catch (error) {
      plaintext.dispose()
      throw error
    }
  }

  async wrapDataKey(
    plaintext: SecretBytes,
    options: KmsSignalOptions,
  ): Promise<readonly WrappedKey[]> {
    demandUsage(this, 'encrypt')
    options.signal?.throwIfAborted()
    if (plaintext.length !== 32) throw new TypeError('a DEK has 32 bytes')
    const { version, wrapped } = await this.#parts.api.wrapKey(plaintext, options)
    return [{ ...this.#version(version), wrapped }]
  }

  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsSignalOptions,
  ): Promise<UnwrappedDataKey> {
    demandUsage(this, 'decrypt')
    const { api, lengths } = this.#parts
    const ours = wraps.filter((wrap) => this.canUnwrap(wrap))
    return firstThatOpens(PROVIDER, ours, options.signal, async (by) => {
      // R8: what the key cannot have made is not sent; a version must not become a path.
      if (!isVersion(by.kekVersion) || !lengths.includes(by.wrapped.length)) return undefined
      return { plaintext: await api.unwrapKey(by.kekVersion, by.wrapped, options), by }
    })
  }

  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]> {
    return unwrapEach(this, items, options)
  }

  async rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    demandUsage(this, 'both')
    return rewrapByUnwrapping(this, wraps, options)
  }

  async currentVersion(options: KmsSignalOptions = {}): Promise<readonly KekVersion[]> {
    return [this.#version((await this.#parts.api.getKey(options)).version)]
  }

  async rotateKey(options: KmsSignalOptions = {}): Promise<readonly KekVersion[]> {
    return [this.#version((await this.#parts.api.rotateKey(options)).version)]
  }

  async rotationPolicy(options: KmsSignalOptions = {}): Promise<AzureRotationPolicy> {
    return readPolicy(await this.#parts.api.getRotationPolicy(options))
  }

  async setRotationPolicy(
    policy: AzureRotationPolicy,
    options: KmsSignalOptions = {},
  ): Promise<AzureRotationPolicy> {
    return readPolicy(await this.#parts.api.setRotationPolicy(policyInput(policy), options))
  }

  healthCheck(options: KmsSignalOptions = {}): Promise<HealthReport> {
    return healthOf(PROVIDER, this.#parts.keyId, options, () => this.#tryUse(options))
  }

  /** Wraps a DEK that nobody uses, and opens it; who may only open asks for the key's state. */
  async #tryUse(options: KmsSignalOptions): Promise<void> {
    const { api, usage, runtime } = this.#parts
    if (usage === 'decrypt') {
      if (!(await api.getKey(options)).unwraps) throw new KmsError('ERR_KMS_KEY_DISABLED')
      return
    }
    const probe = SecretBytes.take(runtime.randomFill(new Uint8Array(32)))
    try {
      const { version, wrapped } = await api.wrapKey(probe, options)
      if (usage === 'encrypt') return
      const opened = await api.unwrapKey(version, wrapped, options)
      const same = equalBytesConstantTime(opened.expose(), probe.expose())
      opened.dispose()
      if (!same) throw new KmsError('ERR_KMS_RESPONSE_INVALID')
    } finally {
      probe.dispose()
    }
  }

  #version(kekVersion: string): KekVersion {
    return { provider: PROVIDER, kekId: this.#parts.keyId, kekVersion }
  }
}
