import { type Bytes, crc32c, decodeBase64, encodeBase64 } from '../../bytes/index.ts'
import { type GcpCall, type GcpClient, objectField } from '../../credentials/gcp/index.ts'
import { isKmsError, KmsError } from '../../errors.ts'
import { type JsonObject, stringField } from '../../http/index.ts'
import {
  encodeKmsContext,
  type KmsCallOptions,
  type KmsSignalOptions,
  SecretBytes,
} from '../../kms/index.ts'
import { locationOf, versionName, versionOfKey } from './key-name.ts'

export const PROVIDER = 'gcp-kms'

/** Longest wrap that the wire format carries. */
const MAX_CIPHERTEXT_BYTES = 6_144

/** The operations of Cloud KMS that this provider uses, with their answers checked for form. */
export class GcpKmsApi {
  readonly #client: GcpClient
  readonly #endpoint: string
  readonly #key: string

  constructor(client: GcpClient, endpoint: string, keyName: string) {
    this.#client = client
    this.#endpoint = endpoint
    this.#key = keyName
  }

  /** Under the key's primary version, which the answer names. */
  async encrypt(
    options: KmsCallOptions,
    plaintext: SecretBytes,
  ): Promise<{ readonly version: string; readonly wrapped: Bytes }> {
    const answer = await this.#onDataKey('encrypt', options, 'plaintext', plaintext.expose())
    const version = this.#versionIn(answer, 'name')
    // R10: without these the server may have encrypted other bytes than were sent.
    for (const what of ['Plaintext', 'AdditionalAuthenticatedData'])
      if (answer[`verified${what}Crc32c`] !== true) throw damaged(`${what} was not verified`)
    return { version, wrapped: bytesOf(answer, 'ciphertext', 1, MAX_CIPHERTEXT_BYTES) }
  }

  /** The server finds the version by itself; it tells no more of it than whether it is the primary. */
  async decrypt(
    options: KmsCallOptions,
    wrapped: Bytes,
  ): Promise<{ readonly plaintext: SecretBytes; readonly usedPrimary: boolean }> {
    const answer = await this.#onDataKey('decrypt', options, 'ciphertext', wrapped)
    const plaintext = SecretBytes.take(bytesOf(answer, 'plaintext', 32, 32))
    return { plaintext, usedPrimary: answer['usedPrimary'] === true }
  }

  /** The primary version, as the key itself names it. */
  async primaryVersion(options: KmsSignalOptions): Promise<string> {
    return this.#primaryIn(await this.#call('GET', 'GetCryptoKey', this.#key, options))
  }

  /** Whether a version exists; yes where there is no permission to ask. */
  async knowsVersion(version: string, options: KmsSignalOptions): Promise<boolean> {
    try {
      await this.versionState(version, options)
      return true
    } catch (error) {
      if (isKmsError(error, 'ERR_KMS_KEY_NOT_FOUND')) return false
      if (isKmsError(error, 'ERR_KMS_ACCESS_DENIED')) return true
      throw error
    }
  }

  async versionState(version: string, options: KmsSignalOptions): Promise<string> {
    const name = versionName(this.#key, version)
    const answer = await this.#call('GET', 'GetCryptoKeyVersion', name, options)
    if (this.#versionIn(answer, 'name') !== version) throw invalid('the answer has another version')
    return stringField(answer, 'state')
  }

  async createVersion(
    options: KmsSignalOptions,
  ): Promise<{ readonly version: string; readonly state: string }> {
    const path = `${this.#key}/cryptoKeyVersions`
    const answer = await this.#call('POST', 'CreateCryptoKeyVersion', path, options, {})
    return { version: this.#versionIn(answer, 'name'), state: stringField(answer, 'state') }
  }

  async makePrimary(version: string, options: KmsSignalOptions): Promise<void> {
    const path = `${this.#key}:updatePrimaryVersion`
    const body = { cryptoKeyVersionId: version }
    const answer = await this.#call('POST', 'UpdateCryptoKeyPrimaryVersion', path, options, body)
    if (this.#primaryIn(answer) !== version) throw invalid('another version became the primary')
  }

  /** 32 bytes of the HSMs of the key's location. */
  async randomBytes(options: KmsSignalOptions): Promise<Bytes> {
    const path = `${locationOf(this.#key)}:generateRandomBytes`
    const body = { lengthBytes: 32, protectionLevel: 'HSM' }
    const answer = await this.#call('POST', 'GenerateRandomBytes', path, options, body)
    return bytesOf(answer, 'data', 32, 32)
  }

  #onDataKey(
    verb: 'encrypt' | 'decrypt',
    options: KmsCallOptions,
    name: string,
    bytes: Bytes,
  ): Promise<JsonObject> {
    const aad = encodeKmsContext(options.context)
    const operation = verb === 'encrypt' ? 'Encrypt' : 'Decrypt'
    const body = {
      [name]: encodeBase64(bytes),
      [`${name}Crc32c`]: String(crc32c(bytes)),
      additionalAuthenticatedData: encodeBase64(aad),
      additionalAuthenticatedDataCrc32c: String(crc32c(aad)),
    }
    return this.#call('POST', operation, `${this.#key}:${verb}`, options, body)
  }

  #call(
    method: GcpCall['method'],
    operation: string,
    path: string,
    { signal, defer }: KmsSignalOptions,
    body?: object,
  ): Promise<JsonObject> {
    return this.#client.call({
      operation,
      method,
      url: `${this.#endpoint}/v1/${path}`, // W3.24: from the configuration alone
      signal,
      defer,
      ...(body !== undefined && { body }),
      // The call is right, so it is the ciphertext or the context that is not.
      ...(operation === 'Decrypt' && { invalidArgument: 'ERR_DECRYPT_FAILED' }),
    })
  }

  /** The version in a resource name of an answer, which must be of our key. */
  #versionIn(answer: JsonObject, name: string): string {
    const version = versionOfKey(this.#key, stringField(answer, name))
    if (version === undefined) throw invalid('the answer has another key')
    return version
  }

  #primaryIn(answer: JsonObject): string {
    if (stringField(answer, 'name') !== this.#key) throw invalid('the answer has another key')
    const primary = objectField(answer, 'primary')
    if (primary !== undefined) return this.#versionIn(primary, 'name')
    const message = 'the key has no primary version: it is not for symmetric encryption'
    throw new KmsError('ERR_KMS_CONFIG', { message, provider: PROVIDER })
  }
}

/** Bytes of an answer, with their checksum compared (R10). */
function bytesOf(answer: JsonObject, name: string, least: number, most: number): Bytes {
  const sum = stringField(answer, `${name}Crc32c`)
  const bytes = decodeBase64(stringField(answer, name)) ?? new Uint8Array(0)
  const fits = bytes.length >= least && bytes.length <= most
  if (fits && sum === String(crc32c(bytes))) return bytes
  bytes.fill(0)
  throw fits ? damaged(`${name} does not have its checksum`) : invalid(`${name} has a wrong length`)
}

function invalid(message: string): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { message, provider: PROVIDER })
}

/** Damage on the way, which may not be there the next time. */
function damaged(message: string): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { message, provider: PROVIDER, retryable: true })
}
