import { isKmsError, KmsError, type Outcome } from '../../errors.ts'
import {
  type GeneratedDataKey,
  type HealthReport,
  type KekVersion,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsCapabilities,
  type KmsSignalOptions,
  type SecretBytes,
  type UnwrappedDataKey,
  unwrapEach,
  type UnwrapRequest,
  type WrappedKey,
} from '../../kms/index.ts'
import { type AwsKmsApi, PROVIDER } from './kms-api.ts'
import type { PinnedKey } from './pinned-key.ts'

/** {@link KeyManagementService} over one key of AWS KMS. */
export class AwsKms implements KeyManagementService {
  readonly providerName: string = PROVIDER
  readonly capabilities: KmsCapabilities
  readonly #api: AwsKmsApi
  readonly #key: PinnedKey

  constructor(api: AwsKmsApi, key: PinnedKey, usage: KmsCapabilities['usage']) {
    this.#api = api
    this.#key = key
    this.capabilities = Object.freeze({
      usage,
      bindsContext: true,
      rewrapsInside: true,
      rotates: true,
      // Rotations keep the ARN and all old material: there is no version to compare.
      revealsVersion: false,
      batches: false,
      limits: { maxWrappedBytes: 6_144, maxContextBytes: 8_192 },
    })
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return this.#key.matches(wrap)
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    this.#demand('encrypt')
    await this.#key.resolve(this.#api, options)
    const { keyArn, plaintext, wrapped } = await this.#api.generateDataKey({
      ...options,
      keyId: this.#key.keyId,
    })
    try {
      return { plaintext, wraps: [wrapOf(this.#key.pin(keyArn, 'GenerateDataKey'), wrapped)] }
    } catch (error) {
      plaintext.dispose()
      throw error
    }
  }

  async wrapDataKey(
    plaintext: SecretBytes,
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    this.#demand('encrypt')
    if (plaintext.length !== 32) throw new TypeError('a DEK has 32 bytes')
    await this.#key.resolve(this.#api, options)
    const call = { ...options, keyId: this.#key.keyId }
    const { keyArn, wrapped } = await this.#api.encrypt(call, plaintext)
    return [wrapOf(this.#key.pin(keyArn, 'Encrypt'), wrapped)]
  }

  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    this.#demand('decrypt')
    return this.#firstThatOpens(wraps, options, async (by) => {
      const call = { ...options, keyId: this.#key.keyId }
      const { keyArn, plaintext } = await this.#api.decrypt(call, by.wrapped)
      try {
        this.#key.pin(keyArn, 'Decrypt')
        // W3.25: until the first answer an alias may stand for another key than the wrap names.
        if (!this.canUnwrap(by)) throw new KmsError('ERR_DECRYPT_FAILED')
        return { plaintext, by }
      } catch (error) {
        plaintext.dispose()
        throw error
      }
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
    this.#demand('both')
    return this.#firstThatOpens(wraps, options, async (by) => {
      const call = { ...options, keyId: this.#key.keyId }
      const { keyArn, sourceArn, wrapped } = await this.#api.reEncrypt(call, by.wrapped)
      this.#key.pin(sourceArn, 'ReEncrypt')
      return [wrapOf(this.#key.pin(keyArn, 'ReEncrypt'), wrapped)]
    })
  }

  async currentVersion(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    return [versionOf(await this.#key.demandArn(this.#api, options))]
  }

  async rotateKey(options: KmsSignalOptions): Promise<readonly KekVersion[]> {
    const arn = await this.#key.demandArn(this.#api, options) // an alias is not accepted here
    await this.#api.rotateKeyOnDemand(arn, options)
    return [versionOf(arn)]
  }

  async healthCheck(options: KmsSignalOptions): Promise<HealthReport> {
    const row = { provider: PROVIDER, kekId: this.#key.keyId }
    try {
      if (this.capabilities.usage === 'decrypt') {
        const { enabled } = await this.#api.describeKey(this.#key.keyId, options)
        if (!enabled) throw new KmsError('ERR_KMS_KEY_DISABLED')
      } else {
        const context = Object.freeze({ 'edge-kms:dk': 'health' })
        await this.#api.dryRunGenerate({ ...options, keyId: this.#key.keyId, context })
      }
      return { healthy: true, checks: [{ ...row, healthy: true }] }
    } catch (error) {
      if (!isKmsError(error)) throw error
      return { healthy: false, checks: [{ ...row, healthy: false, code: error.code }] }
    }
  }

  /** Tries the wraps that are ours, one call for each, until one opens. */
  async #firstThatOpens<T>(
    wraps: readonly WrappedKey[],
    options: KmsSignalOptions,
    open: (wrap: WrappedKey) => Promise<T>,
  ): Promise<T> {
    const unknown = (): KmsError => new KmsError('ERR_ENVELOPE_UNKNOWN_KEY', { provider: PROVIDER })
    if (!wraps.some((wrap) => this.canUnwrap(wrap))) throw unknown()
    await this.#key.resolve(this.#api, options)
    const ours = wraps.filter((wrap) => this.canUnwrap(wrap))
    if (ours.length === 0) throw unknown()
    // Our own key before its replicas in other Regions.
    ours.sort((a, b) => Number(b.kekId === this.#key.keyId) - Number(a.kekId === this.#key.keyId))
    for (const wrap of ours) {
      try {
        return await open(wrap)
      } catch (error) {
        if (!isKmsError(error, 'ERR_DECRYPT_FAILED')) throw error
      }
    }
    throw new KmsError('ERR_DECRYPT_FAILED')
  }

  #demand(use: 'encrypt' | 'decrypt' | 'both'): void {
    const { usage } = this.capabilities
    if (usage === 'both' || usage === use) return
    throw new KmsError('ERR_KMS_UNSUPPORTED', {
      message: `this instance is configured for ${usage} only`,
      provider: PROVIDER,
    })
  }
}

function wrapOf(kekId: string, wrapped: Uint8Array<ArrayBuffer>): WrappedKey {
  return { provider: PROVIDER, kekId, kekVersion: '', wrapped }
}

function versionOf(kekId: string): KekVersion {
  return { provider: PROVIDER, kekId, kekVersion: '' }
}
