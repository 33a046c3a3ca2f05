import { isKmsError, type Outcome } from '../../errors.ts'
import {
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
  unwrapEach,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../../kms/index.ts'
import type { DataKeyBytes } from './data-key-bytes.ts'
import { PROVIDER } from './errors.ts'
import { isVersion } from './key-name.ts'
import type { GcpKmsApi } from './kms-api.ts'
import type { KeyVersions } from './key-versions.ts'

const HEALTH: EncryptionContext = /* @__PURE__ */ Object.freeze({ 'edge-kms:dk': 'health' })

/** {@link KeyManagementService} over one key of GCP Cloud KMS. */
export class GcpKms implements KeyManagementService {
  readonly providerName: string = PROVIDER
  readonly capabilities: KmsCapabilities
  readonly #api: GcpKmsApi
  readonly #keyName: string
  readonly #versions: KeyVersions
  readonly #newBytes: DataKeyBytes

  constructor(
    api: GcpKmsApi,
    keyName: string,
    versions: KeyVersions,
    newBytes: DataKeyBytes,
    usage: KmsCapabilities['usage'],
  ) {
    this.#api = api
    this.#keyName = keyName
    this.#versions = versions
    this.#newBytes = newBytes
    this.capabilities = Object.freeze({
      usage,
      bindsContext: true,
      rewrapsInside: false, // Cloud KMS has no such operation
      rotates: true,
      revealsVersion: true,
      batches: false,
      // Of HSM keys: context and plaintext together have 8 KiB. Others take 64 KiB of each.
      limits: { maxWrappedBytes: 6_144, maxContextBytes: 8_192 - 32 },
      keks: [keyName],
    })
  }

  canUnwrap({ provider, kekId, kekVersion }: WrappedKey): boolean {
    return provider === PROVIDER && kekId === this.#keyName && isVersion(kekVersion)
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    demandUsage(this, 'encrypt')
    options.signal?.throwIfAborted()
    const plaintext = SecretBytes.take(await this.#newBytes(options))
    try {
      return { plaintext, wraps: [await this.#wrap(options, plaintext)] }
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
    return [await this.#wrap(options, plaintext)]
  }

  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    demandUsage(this, 'decrypt')
    const ours = wraps.filter((wrap) => this.canUnwrap(wrap))
    return firstThatOpens(PROVIDER, ours, options.signal, (by) => this.#open(by, options))
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
    return [this.#version(await this.#versions.askForPrimary(options))]
  }

  async rotateKey(options: KmsSignalOptions = {}): Promise<readonly KekVersion[]> {
    return [this.#version(await this.#versions.rotate(options))]
  }

  healthCheck(options: KmsSignalOptions = {}): Promise<HealthReport> {
    return healthOf(PROVIDER, this.#keyName, options, () =>
      this.#tryCalls({ ...options, context: HEALTH }),
    )
  }

  /** Cloud KMS has no dry runs. A reader has nothing to decrypt: a refusal that says so is enough. */
  async #tryCalls(options: KmsCallOptions): Promise<void> {
    const { usage } = this.capabilities
    let wrapped = new Uint8Array(60)
    if (usage !== 'decrypt') {
      const plaintext = SecretBytes.take(await this.#newBytes(options))
      try {
        wrapped = (await this.#wrap(options, plaintext)).wrapped
      } finally {
        plaintext.dispose()
      }
    }
    if (usage === 'encrypt') return
    try {
      const { plaintext } = await this.#api.decrypt(options, wrapped)
      plaintext.dispose()
    } catch (error) {
      if (usage === 'both' || !isKmsError(error, 'ERR_DECRYPT_FAILED')) throw error
    }
  }

  async #wrap(options: KmsCallOptions, plaintext: SecretBytes): Promise<WrappedKey> {
    const { version, wrapped } = await this.#api.encrypt(options, plaintext)
    this.#versions.see(version)
    return { ...this.#version(version), wrapped }
  }

  async #open(by: WrappedKey, options: KmsCallOptions): Promise<UnwrappedDataKey> {
    const { plaintext, usedPrimary } = await this.#api.decrypt(options, by.wrapped)
    try {
      await this.#versions.compare(by.kekVersion, usedPrimary, options) // W3.25
      return { plaintext, by, current: usedPrimary }
    } catch (error) {
      plaintext.dispose()
      throw error
    }
  }

  #version(kekVersion: string): KekVersion {
    return { provider: PROVIDER, kekId: this.#keyName, kekVersion }
  }
}
