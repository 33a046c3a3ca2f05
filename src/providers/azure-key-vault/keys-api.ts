import { type Bytes, decodeBase64Url, encodeBase64Url } from '../../bytes/index.ts'
import { type JsonObject, stringField } from '../../http/index.ts'
import { type KmsSignalOptions, SecretBytes } from '../../kms/index.ts'
import { versionIn } from './key-id.ts'
import { invalidAnswer, type VaultClient } from './vault-client.ts'

/** How a DEK is wrapped. RSA1_5 and RSA-OAEP, which is OAEP with SHA-1, are refused. */
export type AzureWrapAlgorithm = 'RSA-OAEP-256' | 'A256KW'

/** Lengths that a wrap of each algorithm can have: an RSA modulus of 2,048 to 4,096 bits, or RFC 3394 of 32 bytes. */
export const WRAP_LENGTHS: Readonly<Record<AzureWrapAlgorithm, readonly number[]>> = {
  'RSA-OAEP-256': [256, 384, 512],
  A256KW: [40],
}

/** Facts about a key, as Key Vault reports them. */
export interface KeyFacts {
  readonly version: string
  /** Whether it is enabled and may unwrap; past its expiry it still does. */
  readonly unwraps: boolean
}

/** The operations on one key that this provider uses, with their answers checked. */
export class KeysApi {
  readonly #client: VaultClient
  readonly #keyId: string
  readonly #algorithm: AzureWrapAlgorithm

  constructor(client: VaultClient, keyId: string, algorithm: AzureWrapAlgorithm) {
    this.#client = client
    this.#keyId = keyId
    this.#algorithm = algorithm
  }

  /** Under the current version, which the answer names. */
  async wrapKey(
    plaintext: SecretBytes,
    options: KmsSignalOptions,
  ): Promise<{ readonly version: string; readonly wrapped: Bytes }> {
    const value = encodeBase64Url(plaintext.expose())
    const answer = await this.#use('wrapKey', '/wrapkey', value, options)
    const version = this.#versionOf(stringField(answer, 'kid'))
    const wrapped = decodeBase64Url(stringField(answer, 'value'))
    if (wrapped === undefined || !WRAP_LENGTHS[this.#algorithm].includes(wrapped.length))
      throw invalidAnswer('value has the wrong length')
    return { version, wrapped }
  }

  /** @param version - 32 hex digits: it comes from an envelope */
  async unwrapKey(
    version: string,
    wrapped: Bytes,
    options: KmsSignalOptions,
  ): Promise<SecretBytes> {
    const value = encodeBase64Url(wrapped)
    const answer = await this.#use('unwrapKey', `/${version}/unwrapkey`, value, options)
    if (this.#versionOf(stringField(answer, 'kid')) !== version)
      throw invalidAnswer('the answer has another version')
    const plaintext = decodeBase64Url(stringField(answer, 'value'))
    // Any length is handed on: anyone with the public key can plant a wrap, which must not end the read.
    if (plaintext !== undefined) return SecretBytes.take(plaintext)
    throw invalidAnswer('value is not base64url')
  }

  async getKey({ signal, defer, hasAttemptTimeout }: KmsSignalOptions): Promise<KeyFacts> {
    const call = {
      method: 'GET',
      operation: 'get',
      path: '',
      signal,
      defer,
      hasAttemptTimeout,
    } as const
    return this.#factsOf(await this.#client.call(call))
  }

  async rotateKey({ signal, defer, hasAttemptTimeout }: KmsSignalOptions): Promise<KeyFacts> {
    const call = {
      method: 'POST',
      operation: 'rotate',
      path: '/rotate',
      signal,
      defer,
      hasAttemptTimeout,
    } as const
    return this.#factsOf(await this.#client.call({ ...call, input: {} }))
  }

  getRotationPolicy({ signal, defer, hasAttemptTimeout }: KmsSignalOptions): Promise<JsonObject> {
    const path = '/rotationpolicy'
    return this.#client.call({
      method: 'GET',
      operation: 'getRotationPolicy',
      path,
      signal,
      defer,
      hasAttemptTimeout,
    })
  }

  setRotationPolicy(
    input: JsonObject,
    { signal, defer, hasAttemptTimeout }: KmsSignalOptions,
  ): Promise<JsonObject> {
    const call = { method: 'PUT', operation: 'setRotationPolicy', path: '/rotationpolicy' } as const
    return this.#client.call({ ...call, input, signal, defer, hasAttemptTimeout })
  }

  #use(
    operation: string,
    path: string,
    value: string,
    { signal, defer, hasAttemptTimeout }: KmsSignalOptions,
  ): Promise<JsonObject> {
    // W3.22: from the configuration, never from an envelope.
    const input = { alg: this.#algorithm, value }
    return this.#client.call({
      method: 'POST',
      operation,
      path,
      input,
      signal,
      defer,
      hasAttemptTimeout,
    })
  }

  #factsOf(answer: JsonObject): KeyFacts {
    const key = (answer['key'] ?? {}) as JsonObject
    const { enabled } = (answer['attributes'] ?? {}) as JsonObject
    const operations: unknown = key['key_ops']
    return {
      version: this.#versionOf(stringField(key, 'kid')),
      unwraps: enabled === true && Array.isArray(operations) && operations.includes('unwrapKey'),
    }
  }

  #versionOf(kid: string): string {
    const version = versionIn(kid, this.#keyId)
    if (version === undefined) throw invalidAnswer('the answer has another key')
    return version
  }
}
