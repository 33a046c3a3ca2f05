import { isKmsError, KmsError } from '../../errors.ts'
import type { KmsSignalOptions, WrappedKey } from '../../kms/index.ts'
import { type ConfiguredKey, isMultiRegion, type KeyArn, parseKeyArn } from './key-id.ts'
import { type AwsKmsApi, PROVIDER } from './kms-api.ts'

/** The configured key and its ARN, which is fixed at the first use and then compared byte for byte. */
export class PinnedKey {
  readonly #configured: ConfiguredKey
  readonly #multiRegion: boolean
  #arn: string | undefined

  constructor(configured: ConfiguredKey, multiRegion: boolean) {
    this.#configured = configured
    this.#multiRegion = multiRegion
    this.#arn = configured.arn
  }

  /** What to send as KeyId. */
  get keyId(): string {
    return this.#arn ?? this.#configured.keyId
  }

  /**
   * Whether a wrap is under this key. While only an alias is known, any key ARN of the same
   * partition, Region and account is: the KMS then compares, because KeyId is always sent.
   */
  matches(wrap: WrappedKey): boolean {
    if (wrap.provider !== PROVIDER || wrap.kekVersion !== '') return false
    if (wrap.kekId === this.#arn) return true
    const arn = parseKeyArn(wrap.kekId)
    if (arn === undefined) return false
    return this.#arn === undefined ? this.#mayBe(arn) : this.#isRelated(arn, this.#arn)
  }

  /** Asks for the ARN where it is not known yet. No permission for that is no error: an answer will tell. */
  async resolve(api: AwsKmsApi, options: KmsSignalOptions): Promise<void> {
    options.signal?.throwIfAborted()
    if (this.#arn !== undefined) return
    try {
      this.pin((await api.describeKey(this.#configured.keyId, options)).keyArn, 'DescribeKey')
    } catch (error) {
      if (!isKmsError(error, 'ERR_KMS_ACCESS_DENIED')) throw error
    }
  }

  /** As {@link resolve}, for what cannot be done without the ARN. */
  async demandArn(api: AwsKmsApi, options: KmsSignalOptions): Promise<string> {
    options.signal?.throwIfAborted()
    if (this.#arn === undefined) {
      this.pin((await api.describeKey(this.#configured.keyId, options)).keyArn, 'DescribeKey')
    }
    return this.#arn as string
  }

  /**
   * Compares the key that an answer names with this one, and fixes it at the first time.
   *
   * @throws KmsError `ERR_KMS_RESPONSE_INVALID`
   */
  pin(keyArn: string, operation: string): string {
    if (keyArn === this.#arn) return keyArn
    const arn = parseKeyArn(keyArn)
    if (this.#arn !== undefined || arn === undefined || !this.#mayBe(arn)) {
      throw new KmsError('ERR_KMS_RESPONSE_INVALID', {
        message: 'the answer is from another key than the one that was asked for',
        provider: PROVIDER,
        operation,
      })
    }
    this.#arn = keyArn
    return keyArn
  }

  #mayBe(arn: KeyArn): boolean {
    const { region, partition, key, account } = this.#configured
    return (
      arn.partition === partition &&
      (arn.region === region || (this.#multiRegion && isMultiRegion(arn))) &&
      (account === undefined || arn.account === account) &&
      (key === undefined || arn.key === key)
    )
  }

  /** Another Region's replica of the same multi-Region key. */
  #isRelated(arn: KeyArn, own: string): boolean {
    if (!this.#multiRegion || !isMultiRegion(arn)) return false
    const pinned = parseKeyArn(own)
    return (
      arn.key === pinned?.key &&
      arn.account === pinned.account &&
      arn.partition === pinned.partition
    )
  }
}
