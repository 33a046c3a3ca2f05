import { type Bytes, crc32c } from '../../bytes/index.ts'
import { objectField } from '../../credentials/gcp/index.ts'
import { isKmsError, KmsError } from '../../errors.ts'
import { stringField } from '../../http/index.ts'
import {
  encodeKmsContext,
  type KmsCallOptions,
  type KmsSignalOptions,
  SecretBytes,
} from '../../kms/index.ts'
import { PROVIDER } from './errors.ts'
import { locationOf, versionName, versionOfKey } from './key-name.ts'
import type { GcpKmsAnswer, GcpKmsTransport } from './transport.ts'

/** The longest plaintext that Cloud KMS takes. */
const MAX_PLAINTEXT_BYTES = 65_536
/** Longest wrap that the wire format carries. */
const MAX_CIPHERTEXT_BYTES = 6_144

/** The operations of Cloud KMS that this provider uses, with their answers checked for form. */
export class GcpKmsApi {
  readonly #transport: GcpKmsTransport
  readonly #key: string

  constructor(transport: GcpKmsTransport, keyName: string) {
    this.#transport = transport
    this.#key = keyName
  }

  /** Under the key's primary version, which the answer names. */
  async encrypt(
    options: KmsCallOptions,
    plaintext: SecretBytes,
  ): Promise<{ readonly version: string; readonly wrapped: Bytes }> {
    const bytes = plaintext.expose()
    const request = { ...this.#aad(options), plaintext: bytes, plaintextCrc32c: crc32c(bytes) }
    const answer = await this.#transport.call('Encrypt', request, options)
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
    const sent = { ciphertext: wrapped, ciphertextCrc32c: crc32c(wrapped) }
    const answer = await this.#transport.call(
      'Decrypt',
      { ...this.#aad(options), ...sent },
      options,
    )
    // JSON leaves an empty plaintext out. Any length is handed on: a planted wrap must not end the read.
    const whole = { plaintext: new Uint8Array(0), ...answer }
    const plaintext = SecretBytes.take(bytesOf(whole, 'plaintext', 0, MAX_PLAINTEXT_BYTES))
    return { plaintext, usedPrimary: answer['usedPrimary'] === true }
  }

  /** The primary version, as the key itself names it. */
  async primaryVersion(options: KmsSignalOptions): Promise<string> {
    return this.#primaryIn(await this.#transport.call('GetCryptoKey', { name: this.#key }, options))
  }

  /** Returns whether a version exists; `undefined` where we may not ask. */
  async knowsVersion(version: string, options: KmsSignalOptions): Promise<boolean | undefined> {
    try {
      await this.versionState(version, options)
      return true
    } catch (error) {
      if (isKmsError(error, 'ERR_KMS_KEY_NOT_FOUND')) return false
      if (isKmsError(error, 'ERR_KMS_ACCESS_DENIED')) return undefined
      throw error
    }
  }

  async versionState(version: string, options: KmsSignalOptions): Promise<string> {
    const name = versionName(this.#key, version)
    const answer = await this.#transport.call('GetCryptoKeyVersion', { name }, options)
    if (this.#versionIn(answer, 'name') !== version) throw invalid('the answer has another version')
    return stringField(answer, 'state')
  }

  async createVersion(
    options: KmsSignalOptions,
  ): Promise<{ readonly version: string; readonly state: string }> {
    const request = { parent: this.#key }
    const answer = await this.#transport.call('CreateCryptoKeyVersion', request, options)
    return { version: this.#versionIn(answer, 'name'), state: stringField(answer, 'state') }
  }

  async makePrimary(version: string, options: KmsSignalOptions): Promise<void> {
    const request = { name: this.#key, cryptoKeyVersionId: version }
    const answer = await this.#transport.call('UpdateCryptoKeyPrimaryVersion', request, options)
    if (this.#primaryIn(answer) !== version) throw invalid('another version became the primary')
  }

  /** 32 bytes of the HSMs of the key's location. */
  async randomBytes(options: KmsSignalOptions): Promise<Bytes> {
    const location = locationOf(this.#key)
    const request = { location, lengthBytes: 32, protectionLevel: 'HSM' } as const
    const answer = await this.#transport.call('GenerateRandomBytes', request, options)
    return bytesOf(answer, 'data', 32, 32)
  }

  /** Returns what a call has beside the data key: the key, and the context with its checksum. */
  #aad({ context }: KmsCallOptions): {
    readonly name: string
    readonly additionalAuthenticatedData: Bytes
    readonly additionalAuthenticatedDataCrc32c: number
  } {
    const aad = encodeKmsContext(context)
    return {
      name: this.#key,
      additionalAuthenticatedData: aad,
      additionalAuthenticatedDataCrc32c: crc32c(aad),
    }
  }

  /** The version in a resource name of an answer, which must be of our key. */
  #versionIn(answer: GcpKmsAnswer, name: string): string {
    const version = versionOfKey(this.#key, stringField(answer, name))
    if (version === undefined) throw invalid('the answer has another key')
    return version
  }

  #primaryIn(answer: GcpKmsAnswer): string {
    if (stringField(answer, 'name') !== this.#key) throw invalid('the answer has another key')
    const primary = objectField(answer, 'primary')
    if (primary !== undefined) return this.#versionIn(primary, 'name')
    const message = 'the key has no primary version: it is not for symmetric encryption'
    throw new KmsError('ERR_KMS_CONFIG', { message, provider: PROVIDER })
  }
}

/** Bytes of an answer, with their checksum compared (R10). */
function bytesOf(answer: GcpKmsAnswer, name: string, least: number, most: number): Bytes {
  const sum = stringField(answer, `${name}Crc32c`)
  const held = answer[name]
  const bytes = held instanceof Uint8Array ? (held as Bytes) : undefined
  const fits = bytes !== undefined && bytes.length >= least && bytes.length <= most
  if (fits && sum === String(crc32c(bytes))) return bytes
  bytes?.fill(0)
  throw fits ? damaged(`${name} does not have its checksum`) : invalid(`${name} has a wrong length`)
}

function invalid(message: string): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { message, provider: PROVIDER })
}

/** Damage on the way, which may not be there the next time. */
function damaged(message: string): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { message, provider: PROVIDER, retryable: true })
}
