/** One request that the fake received. It never holds a plaintext, a ciphertext, a secret or a token. */
export interface FakeAwsCall {
  readonly service: 'kms' | 'sts'
  /** E.g. `GenerateDataKey`; empty if the request does not name one. */
  readonly operation: string
  /** KeyId as it was sent; for ReEncrypt DestinationKeyId. */
  readonly keyId?: string
  /** SourceKeyId of ReEncrypt, as it was sent. */
  readonly sourceKeyId?: string
  /** EncryptionContext; for ReEncrypt that of the destination. */
  readonly context?: Readonly<Record<string, string>>
  readonly sourceContext?: Readonly<Record<string, string>>
  readonly dryRun?: boolean
  /** ARN of the key that was used. */
  readonly keyArn?: string
  /** The access key that signed, once the signature was found right. */
  readonly accessKeyId?: string
  /** ARN of the caller. */
  readonly caller?: string
  /** Status of the answer; absent while there is none, and after a reset. */
  readonly status?: number
  /** Name of the error that was answered. */
  readonly error?: string
  /** Kind of the scripted fault that it met. */
  readonly fault?: string
}

/** A call while it is being answered. */
export type CallRecord = { -readonly [name in keyof FakeAwsCall]: FakeAwsCall[name] }
