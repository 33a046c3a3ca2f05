import { type Bytes, decodeBase64, encodeBase64 } from '../../bytes/index.ts'
import type { AwsClient } from '../../credentials/aws/index.ts'
import { type JsonObject, stringField } from '../../http/index.ts'
import {
  type EncryptionContext,
  type KmsCapabilities,
  type KmsSignalOptions,
  SecretBytes,
} from '../../kms/index.ts'
import { callKms, invalid, PROVIDER } from './kms-call.ts'

/** Facts that every call on a data key needs. */
export interface DataKeyCall extends KmsSignalOptions {
  readonly keyId: string
  readonly context: EncryptionContext
}

/** An answer that names the key which was used. */
export interface KeyedAnswer {
  readonly operation: string
  readonly keyArn: string
}

/** An answer with a data key, which is taken out of it when the rest was found to be right. */
export interface SecretAnswer {
  readonly takePlaintext: () => SecretBytes
}

/** An answer, whose fields are not trusted yet. */
interface Answer {
  readonly operation: string
  readonly fields: JsonObject
}

/** How a dry run ends that would have been allowed. */
const DRY_RUN = 'DryRunOperationException'

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
  ): Promise<KeyedAnswer & SecretAnswer & { readonly wrapped: Bytes }> {
    const answer = await this.#onDataKey('GenerateDataKey', call, { KeySpec: 'AES_256' })
    return { ...keyed(answer), ...secret(answer, 32), wrapped: wrappedOf(answer) }
  }

  async encrypt(
    call: DataKeyCall,
    plaintext: SecretBytes,
  ): Promise<KeyedAnswer & { readonly wrapped: Bytes }> {
    const answer = await this.#onDataKey('Encrypt', call, {
      Plaintext: encodeBase64(plaintext.expose()),
    })
    return { ...keyed(answer), wrapped: wrappedOf(answer) }
  }

  async decrypt(call: DataKeyCall, wrapped: Bytes): Promise<KeyedAnswer & SecretAnswer> {
    const answer = await this.#onDataKey('Decrypt', call, { CiphertextBlob: encodeBase64(wrapped) })
    return { ...keyed(answer), ...secret(answer) }
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
    const sourceArn = text(answer, 'SourceKeyId')
    return { ...keyed(answer), sourceArn, wrapped: wrappedOf(answer) }
  }

  async describeKey(
    keyId: string,
    options: KmsSignalOptions,
  ): Promise<KeyedAnswer & { readonly enabled: boolean }> {
    const answer = await this.#call('DescribeKey', options, { KeyId: keyId })
    const fields = (answer.fields['KeyMetadata'] ?? {}) as JsonObject
    const named = keyed({ ...answer, fields }, 'Arn')
    // Updating: the primary Region of a multi-Region key is changing; the key works all the while.
    return { ...named, enabled: ['Enabled', 'Updating'].includes(fields['KeyState'] as string) }
  }

  async rotateKeyOnDemand(keyId: string, options: KmsSignalOptions): Promise<void> {
    await this.#call('RotateKeyOnDemand', options, { KeyId: keyId })
  }

  /**
   * Whether the two would be allowed, and the first would work: without a ciphertext AWS looks at
   * the permission only. A server that knows no dry runs makes a key, and is asked to decrypt that.
   */
  async tryCalls(call: DataKeyCall, usage: KmsCapabilities['usage']): Promise<void> {
    const input = { KeySpec: 'AES_256', DryRun: true }
    const made =
      usage === 'decrypt'
        ? undefined
        : await this.#onDataKey('GenerateDataKey', call, input, DRY_RUN)
    if (usage === 'encrypt') return
    const CiphertextBlob = made?.fields['CiphertextBlob']
    const modified = { DryRun: true, CiphertextBlob, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }
    await this.#onDataKey('Decrypt', call, modified, DRY_RUN)
  }

  #onDataKey(
    operation: string,
    call: DataKeyCall,
    input: JsonObject,
    hopesFor?: string,
  ): Promise<Answer> {
    const given = { KeyId: call.keyId, EncryptionContext: call.context }
    return this.#call(operation, call, { ...given, ...input }, hopesFor)
  }

  async #call(
    operation: string,
    options: KmsSignalOptions,
    input: JsonObject,
    hopesFor?: string,
  ): Promise<Answer> {
    const takesGrants = this.#grantTokens.length > 0 && operation !== 'RotateKeyOnDemand'
    const whole = takesGrants ? { ...input, GrantTokens: this.#grantTokens } : input
    return { operation, fields: await callKms(this.#client, operation, whole, options, hopesFor) }
  }
}

function keyed(answer: Answer, name = 'KeyId'): KeyedAnswer {
  return { operation: answer.operation, keyArn: text(answer, name) }
}

function text({ operation, fields }: Answer, name: string): string {
  return stringField(fields, name, { operation, provider: PROVIDER })
}

function wrappedOf(answer: Answer): Bytes {
  return bytesOf(answer, 'CiphertextBlob', 1, 6_144) // the longest that AWS takes
}

/** @param least - of Decrypt any length is handed on: a planted wrap must not end the read */
function secret(answer: Answer, least = 0): SecretAnswer {
  const most = least || 4_096 // the longest that AWS encrypts
  return { takePlaintext: () => SecretBytes.take(bytesOf(answer, 'Plaintext', least, most)) }
}

function bytesOf(answer: Answer, name: string, least: number, most: number): Bytes {
  const bytes = decodeBase64(text(answer, name))
  if (bytes !== undefined && bytes.length >= least && bytes.length <= most) return bytes
  bytes?.fill(0)
  throw invalid(answer.operation, `${name} has the wrong length`)
}
