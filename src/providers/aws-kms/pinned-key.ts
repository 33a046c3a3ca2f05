import { isKmsError } from '../../errors.ts'
import type { KmsSignalOptions, WrappedKey } from '../../kms/index.ts'
import { type KeyArn, type KeyFacts, parseKeyArn } from './key-id.ts'
import type { AwsKmsApi, KeyedAnswer } from './kms-api.ts'
import { invalid, PROVIDER } from './kms-call.ts'

/** The configured key and its ARN, which is fixed at the first use and then compared byte for byte. */
export class PinnedKey {
  readonly #configured: string
  readonly #replicaRegions: readonly string[]
  #facts: KeyFacts
  #arn: string | undefined

  constructor(keyId: string, facts: KeyFacts, replicaRegions: readonly string[]) {
    this.#configured = keyId
    this.#replicaRegions = replicaRegions
    this.#facts = facts
    if (parseKeyArn(keyId) !== undefined) this.#arn = keyId
  }

  /** The KeyId to send. */
  get keyId(): string {
    return this.#arn ?? this.#configured
  }

  /**
   * Whether a wrap is under this key, or under a replica of it in one of the configured Regions. While only an alias is known, any key ARN of the same partition, Region and account is:
   * the KMS then compares, because KeyId is always sent.
   */
  matches(wrap: WrappedKey): boolean {
    if (wrap.provider !== PROVIDER || wrap.kekVersion !== '') return false
    if (wrap.kekId === this.#arn) return true
    const arn = parseKeyArn(wrap.kekId) // W3.20: a key ARN, never an alias
    if (arn === undefined || !this.#agrees(arn)) return false
    if (arn.region === this.#facts.region) return true
    return arn.key.startsWith('mrk-') && this.#replicaRegions.includes(arn.region)
  }

  /** Returns the place of a wrap in the configured order: own key first, then its replicas. */
  rank({ kekId }: WrappedKey): number {
    const region = parseKeyArn(kekId)?.region ?? ''
    return region === this.#facts.region ? -1 : this.#replicaRegions.indexOf(region)
  }

  /** Asks for the ARN where it is not known yet. A refusal of that is not an error: an answer will tell. */
  async resolve(api: AwsKmsApi, options: KmsSignalOptions): Promise<void> {
    try {
      await this.demandArn(api, options)
    } catch (error) {
      if (!isKmsError(error, 'ERR_KMS_ACCESS_DENIED')) throw error
    }
  }

  /** As {@link resolve}, for what cannot be done without the ARN. */
  async demandArn(api: AwsKmsApi, options: KmsSignalOptions): Promise<string> {
    options.signal?.throwIfAborted()
    return this.#arn ?? this.pin(await api.describeKey(this.#configured, options))
  }

  /**
   * Compares the key that an answer names with this one, and fixes it at the first time.
   *
   * @throws KmsError `ERR_KMS_RESPONSE_INVALID`
   */
  pin({ keyArn, operation }: KeyedAnswer): string {
    if (keyArn === this.#arn) return keyArn
    const arn = parseKeyArn(keyArn)
    if (
      this.#arn !== undefined ||
      arn === undefined ||
      arn.region !== this.#facts.region ||
      !this.#agrees(arn)
    ) {
      throw invalid(operation, 'the answer has another key')
    }
    this.#facts = arn
    return (this.#arn = keyArn)
  }

  /** Whether nothing that is known of this key but its Region says that the ARN is another's. */
  #agrees(arn: KeyArn): boolean {
    const { partition, account = arn.account, key = arn.key } = this.#facts
    return arn.partition === partition && arn.account === account && arn.key === key
  }
}
