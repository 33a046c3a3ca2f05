import { plainOptions } from '../../checks/index.ts'
import type { Bytes } from '../../bytes/index.ts'
import { KmsError, type Outcome } from '../../errors.ts'
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
  type SecretBytes,
  unwrapEach,
  type UnwrappedDataKey,
  type UnwrapRequest,
  type WrappedKey,
} from '../../kms/index.ts'
import type { AwsKmsApi, DataKeyCall, KeyedAnswer } from './kms-api.ts'
import { PROVIDER } from './kms-call.ts'
import type { PinnedKey } from './pinned-key.ts'

/** {@link KeyManagementService} over one key of AWS KMS. */
export class AwsKms implements KeyManagementService {
  readonly providerName: string = PROVIDER
  readonly capabilities: KmsCapabilities
  readonly #api: AwsKmsApi
  readonly #key: PinnedKey
  readonly #healthContext: EncryptionContext

  constructor(
    api: AwsKmsApi,
    key: PinnedKey,
    usage: KmsCapabilities['usage'],
    healthContext: EncryptionContext,
  ) {
    this.#api = api
    this.#key = key
    this.#healthContext = healthContext
    this.capabilities = Object.freeze({
      usage,
      bindsContext: true,
      rewrapsInside: true,
      rotates: true,
      // Rotations keep the ARN and all old material, so no version can be compared.
      revealsVersion: false,
      batches: false,
      limits: { maxWrappedBytes: 6_144, maxContextBytes: 8_192 },
      keks: [key.keyId],
    })
  }

  canUnwrap(wrap: WrappedKey): boolean {
    return this.#key.matches(wrap)
  }

  async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    demandUsage(this, 'encrypt')
    const answer = await this.#api.generateDataKey(await this.#call(options))
    const wraps = [this.#wrapOf(answer)]
    return { plaintext: answer.takePlaintext(), wraps }
  }

  async wrapDataKey(
    plaintext: SecretBytes,
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]> {
    demandUsage(this, 'encrypt')
    if (plaintext.length !== 32) throw new TypeError('a DEK has 32 bytes')
    return [this.#wrapOf(await this.#api.encrypt(await this.#call(options), plaintext))]
  }

  async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    demandUsage(this, 'decrypt')
    return this.#firstThatOpens(wraps, options, async (by, call) => {
      const answer = await this.#api.decrypt(call, by.wrapped)
      this.#key.pin(answer)
      // W3.25: until the first answer an alias can mean another key than the wrap names.
      if (!this.canUnwrap(by)) throw new KmsError('ERR_DECRYPT_FAILED')
      return { plaintext: answer.takePlaintext(), by }
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
    return this.#firstThatOpens(wraps, options, async (by, call) => {
      const answer = await this.#api.reEncrypt(call, by.wrapped)
      this.#key.pin({ ...answer, keyArn: answer.sourceArn })
      return [this.#wrapOf(answer)]
    })
  }

  async currentVersion(options: KmsSignalOptions = {}): Promise<readonly KekVersion[]> {
    return [versionOf(await this.#key.demandArn(this.#api, options))]
  }

  async rotateKey(options: KmsSignalOptions = {}): Promise<readonly KekVersion[]> {
    const arn = await this.#key.demandArn(this.#api, options) // an alias is not accepted here
    await this.#api.rotateKeyOnDemand(arn, options)
    return [versionOf(arn)]
  }

  healthCheck(options: KmsSignalOptions = {}): Promise<HealthReport> {
    const { usage } = this.capabilities
    const { keyId } = this.#key
    return healthOf(PROVIDER, keyId, options, async () => {
      // With Decrypt alone nothing else has seen the key's state.
      if (usage === 'decrypt' && !(await this.#api.describeKey(keyId, options)).enabled)
        throw new KmsError('ERR_KMS_KEY_DISABLED')
      await this.#api.tryCalls({ ...options, keyId, context: this.#healthContext }, usage)
    })
  }

  /** A call on a data key, with the ARN where it can be had. */
  async #call(options: KmsCallOptions): Promise<DataKeyCall> {
    const given = plainOptions(options)
    await this.#key.resolve(this.#api, given)
    return { ...given, keyId: this.#key.keyId }
  }

  #wrapOf(answer: KeyedAnswer & { readonly wrapped: Bytes }): WrappedKey {
    return { ...versionOf(this.#key.pin(answer)), wrapped: answer.wrapped }
  }

  /** Tries the wraps that are ours, one call for each, until one opens. */
  async #firstThatOpens<T>(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
    open: (wrap: WrappedKey, call: DataKeyCall) => Promise<T>,
  ): Promise<T> {
    const ours = (): WrappedKey[] => wraps.filter((wrap) => this.canUnwrap(wrap))
    // Asked again once the ARN is known: what could be under an alias may not be under its key.
    if (ours().length > 0) await this.#key.resolve(this.#api, options)
    // In the configured order, whatever the message says: our own key before its replicas.
    const candidates = ours().sort((a, b) => this.#key.rank(a) - this.#key.rank(b))
    return firstThatOpens(PROVIDER, candidates, options.signal, (wrap) =>
      open(wrap, { ...plainOptions(options), keyId: this.#key.keyId }),
    )
  }
}

function versionOf(kekId: string): KekVersion {
  return { provider: PROVIDER, kekId, kekVersion: '' }
}
