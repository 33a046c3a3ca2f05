import { type Bytes, decodeBase64, encodeBase64 } from '../../bytes/index.ts'
import {
  AwsCallError,
  type AwsClient,
  callError,
  invalidAnswer,
} from '../../credentials/aws/index.ts'
import { type JsonObject, parseJsonObject, stringField } from '../../http/index.ts'
import { type EncryptionContext, type KmsSignalOptions, SecretBytes } from '../../kms/index.ts'

export const PROVIDER = 'aws-kms'

/** Longest CiphertextBlob that AWS takes. */
const MAX_CIPHERTEXT_BYTES = 6_144

/** What every call on a data key needs. */
export interface DataKeyCall extends KmsSignalOptions {
  readonly keyId: string
  readonly context: EncryptionContext
}

/** An answer that names the key which was used. */
export interface KeyedAnswer {
  readonly keyArn: string
}

/** The operations of AWS KMS that this provider uses, with their answers checked for form. */
export class AwsKmsApi {
  readonly #client: AwsClient
  readonly #grantTokens: readonly string[]

  constructor(client: AwsClient, grantTokens: readonly string[]) {
    this.#client = client
    this.#grantTokens = grantTokens
  }

  async generateDataKey(
    call: DataKeyCall,
  ): Promise<KeyedAnswer & { readonly plaintext: SecretBytes; readonly wrapped: Bytes }> {
    const answer = await this.#call('GenerateDataKey', call, {
      KeyId: call.keyId,
      KeySpec: 'AES_256',
      EncryptionContext: call.context,
    })
    return {
      ...keyed(answer),
      plaintext: plaintextOf(answer, 'GenerateDataKey'),
      wrapped: wrappedOf(answer, 'GenerateDataKey'),
    }
  }

  async encrypt(
    call: DataKeyCall,
    plaintext: SecretBytes,
  ): Promise<KeyedAnswer & { readonly wrapped: Bytes }> {
    const answer = await this.#call('Encrypt', call, {
      KeyId: call.keyId,
      Plaintext: encodeBase64(plaintext.expose()),
      EncryptionContext: call.context,
    })
    return { ...keyed(answer), wrapped: wrappedOf(answer, 'Encrypt') }
  }

  async decrypt(
    call: DataKeyCall,
    wrapped: Bytes,
  ): Promise<KeyedAnswer & { readonly plaintext: SecretBytes }> {
    const answer = await this.#call('Decrypt', call, {
      KeyId: call.keyId,
      CiphertextBlob: encodeBase64(wrapped),
      EncryptionContext: call.context,
    })
    return { ...keyed(answer), plaintext: plaintextOf(answer, 'Decrypt') }
  }

  /** From and to the same key: new material after a rotation, and a new blob. */
  async reEncrypt(
    call: DataKeyCall,
    wrapped: Bytes,
  ): Promise<KeyedAnswer & { readonly sourceArn: string; readonly wrapped: Bytes }> {
    const answer = await this.#call('ReEncrypt', call, {
      SourceKeyId: call.keyId,
      DestinationKeyId: call.keyId,
      CiphertextBlob: encodeBase64(wrapped),
      SourceEncryptionContext: call.context,
      DestinationEncryptionContext: call.context,
    })
    const sourceArn = stringField(answer, 'SourceKeyId')
    return { ...keyed(answer), sourceArn, wrapped: wrappedOf(answer, 'ReEncrypt') }
  }

  async describeKey(
    keyId: string,
    options: KmsSignalOptions,
  ): Promise<KeyedAnswer & { readonly enabled: boolean }> {
    const answer = await this.#call('DescribeKey', options, { KeyId: keyId })
    const metadata = answer['KeyMetadata']
    if (typeof metadata !== 'object' || metadata === null) {
      throw invalidAnswer(PROVIDER, 'DescribeKey', 'the answer has no KeyMetadata')
    }
    const fields = metadata as JsonObject
    return { keyArn: stringField(fields, 'Arn'), enabled: fields['KeyState'] === 'Enabled' }
  }

  async rotateKeyOnDemand(keyId: string, options: KmsSignalOptions): Promise<void> {
    await this.#call('RotateKeyOnDemand', options, { KeyId: keyId }, false)
  }

  /** Whether GenerateDataKey would be allowed; makes no key where the server knows DryRun. */
  async dryRunGenerate(call: DataKeyCall): Promise<void> {
    const input = {
      KeyId: call.keyId,
      KeySpec: 'AES_256',
      EncryptionContext: call.context,
      DryRun: true,
    }
    try {
      const answer = await this.#raw('GenerateDataKey', call, { ...input, ...this.#grants() })
      plaintextOf(answer, 'GenerateDataKey').dispose()
    } catch (error) {
      if (error instanceof AwsCallError && error.failure.name === 'DryRunOperationException') return
      throw callError(error)
    }
  }

  async #call(
    operation: string,
    options: KmsSignalOptions,
    input: JsonObject,
    takesGrants = true,
  ): Promise<JsonObject> {
    try {
      return await this.#raw(
        operation,
        options,
        takesGrants ? { ...input, ...this.#grants() } : input,
      )
    } catch (error) {
      throw callError(error)
    }
  }

  #grants(): JsonObject {
    return this.#grantTokens.length > 0 ? { GrantTokens: this.#grantTokens } : {}
  }

  async #raw(operation: string, options: KmsSignalOptions, input: JsonObject): Promise<JsonObject> {
    const { signal, defer } = options
    const response = await this.#client.call({
      operation,
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `TrentService.${operation}`,
      },
      body: JSON.stringify(input),
      signal,
      defer,
    })
    const answer = parseJsonObject(response.body)
    if (answer === undefined) {
      throw invalidAnswer(PROVIDER, operation, 'the answer is not a JSON object')
    }
    return answer
  }
}

function keyed(answer: JsonObject): KeyedAnswer {
  return { keyArn: stringField(answer, 'KeyId') }
}

function wrappedOf(answer: JsonObject, operation: string): Bytes {
  const wrapped = decodeBase64(stringField(answer, 'CiphertextBlob'))
  if (wrapped === undefined || wrapped.length === 0 || wrapped.length > MAX_CIPHERTEXT_BYTES) {
    throw invalidAnswer(PROVIDER, operation, 'the CiphertextBlob is not base64 of 1 to 6,144 bytes')
  }
  return wrapped
}

function plaintextOf(answer: JsonObject, operation: string): SecretBytes {
  const plaintext = decodeBase64(stringField(answer, 'Plaintext'))
  if (plaintext?.length === 32) return SecretBytes.take(plaintext)
  plaintext?.fill(0)
  throw invalidAnswer(PROVIDER, operation, 'the data key is not 32 bytes')
}
