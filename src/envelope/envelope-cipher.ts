import type { Bytes } from '../bytes/index.ts'
import type { Outcome } from '../errors.ts'
import { type DecryptItem, decryptMany, type DecryptManyOptions } from './decrypt-many.ts'
import { decryptMessage } from './decrypt-message.ts'
import { decryptRange } from './decrypt-range.ts'
import { decryptStored, type StoredPlaintext } from './decrypt-stored.ts'
import { decryptStream } from './decrypt-stream.ts'
import { type EncryptItem, encryptMany } from './encrypt-many.ts'
import { encryptRecordMessage } from './encrypt-record.ts'
import type { EncryptedEnvelope } from './encrypted-envelope.ts'
import { canOpen } from './open-message.ts'
import type {
  CallOptions,
  DecryptOptions,
  EncryptOptions,
  EnvelopeCipherOptions,
  MessageOptions,
  RewrapOptions,
  StartedStream,
  StartStreamOptions,
} from './options.ts'
import type {
  DecryptedRange,
  DecryptRangeOptions,
  PlaintextRange,
  ReadEnvelopeRange,
} from './range-options.ts'
import { rewrapMessage, rewrapStream } from './rewrap.ts'
import { type CipherSettings, cipherSettings } from './settings.ts'
import { decryptText, encryptText } from './text.ts'
import { encryptStream, startStream } from './write-stream.ts'

type Outcomes = Promise<readonly Outcome<Bytes>[]>

/**
 * Encrypts and decrypts data in this process, under data keys that a KMS wraps (envelope encryption).
 *
 * @remarks Security: to decrypt, pass exactly the `context` and `aad` that you passed to encrypt. Every failure
 * that comes from the envelope, the key, the context or the aad is `ERR_DECRYPT_FAILED`.
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { createLocalKms } from 'edge-kms/local'
 *
 * const key = crypto.getRandomValues(new Uint8Array(32))
 * const cipher = new EnvelopeCipher({ kms: createLocalKms({ versions: [{ version: 1, key }] }) })
 * const options = { context: { tenant: 'acme' }, aad: { row: '42' } }
 * const envelope = await cipher.encrypt(new TextEncoder().encode('4111 1111'), options)
 * const back = await cipher.decrypt(envelope, options)
 * ```
 */
export class EnvelopeCipher {
  readonly #settings: CipherSettings

  /** @throws KmsError `ERR_KMS_CONFIG`, also if the platform does not have `crypto.subtle` */
  constructor(options: EnvelopeCipherOptions) {
    this.#settings = cipherSettings(options)
  }

  /**
   * Encrypts bytes into one record. It is as long as the plaintext, the key header and 44 bytes; by reference, as
   * the plaintext and 76 bytes.
   *
   * Returns a plain `Uint8Array`, never a `Buffer`: in Node, `Buffer.from(envelope)` makes one.
   *
   * @param plaintext - at most `maxRecordBytes` (1 MiB by default); you may use it again as soon as this returns
   * @throws KmsError `ERR_ENVELOPE_TOO_LARGE`, `ERR_CONTEXT_INVALID`, `ERR_KMS_CONFIG`, or the KMS's error
   */
  encrypt(plaintext: Uint8Array, options: EncryptOptions = {}): Promise<Bytes> {
    return encryptRecordMessage(this.#settings, plaintext, options)
  }

  /**
   * Decrypts a record; other kinds only if `kinds` names them.
   *
   * Returns a plain `Uint8Array`, never a `Buffer`, even if you encrypted one: its `.toString('base64')` gives
   * numbers. In Node, `Buffer.from(plaintext)` makes a `Buffer`.
   *
   * @throws KmsError `ERR_DECRYPT_FAILED`, `ERR_WIRE_*`, `ERR_ENVELOPE_UNKNOWN_KEY`,
   * `ERR_ENVELOPE_UNKNOWN_REFERENCE`, `ERR_CONTEXT_INVALID`, `ERR_KMS_CONFIG`, or the KMS's error
   */
  decrypt(envelope: Uint8Array, options: DecryptOptions = {}): Promise<Bytes> {
    return decryptMessage(this.#settings, envelope, options)
  }

  /**
   * Encrypts text into the text form: `ek1.` and base64url.
   *
   * @throws TypeError if it is not a string, or has a lone surrogate, which UTF-8 cannot hold
   * @throws KmsError as {@link EnvelopeCipher.encrypt}
   */
  encryptText(text: string, options: EncryptOptions = {}): Promise<string> {
    return encryptText(this.#settings, text, options)
  }

  /**
   * Decrypts what {@link EnvelopeCipher.encryptText} returned.
   *
   * @throws TypeError if `text` is not a string, or the plaintext is not text
   * @throws KmsError as {@link EnvelopeCipher.decrypt}
   */
  decryptText(text: string, options: DecryptOptions = {}): Promise<string> {
    return decryptText(this.#settings, text, options)
  }

  /**
   * Encrypts many records at once. Returns one outcome for each item, in order, and never rejects because one item
   * failed. If the KMS fails for one item, all later items of its context fail with the same error.
   *
   * @throws TypeError before any work, if a plaintext is not a `Uint8Array`
   */
  encryptMany(items: readonly EncryptItem[], options: CallOptions = {}): Outcomes {
    return encryptMany(this.#settings, items, options)
  }

  /**
   * Decrypts many records at once and unwraps each distinct data key once. Returns one outcome for each item, in
   * order, and never rejects because one item failed. An envelope that is not a `Uint8Array` is
   * `ERR_WIRE_MALFORMED`.
   */
  decryptMany(items: readonly DecryptItem[], options: DecryptManyOptions = {}): Outcomes {
    return decryptMany(this.#settings, items, options)
  }

  /**
   * Returns a transform from plaintext to a stream message, of any length and in constant memory. The data
   * key is made with the first bytes.
   *
   * @throws KmsError `ERR_CONTEXT_INVALID`, `ERR_KMS_CONFIG` at once; anything else errors the stream
   */
  encryptStream(options: EncryptOptions = {}): TransformStream<Uint8Array, Uint8Array> {
    return encryptStream(this.#settings, options)
  }

  /**
   * Makes the data key, then returns the transform from plaintext to a stream message. If you pass
   * `plaintextBytes`, it also returns the exact length of that message, which R2 and a `Content-Length` need. If
   * more or fewer bytes arrive, the transform errors with a `RangeError`.
   *
   * @throws KmsError `ERR_CONTEXT_INVALID`, `ERR_KMS_CONFIG`, or the KMS's error
   */
  startStream(options: StartStreamOptions = {}): Promise<StartedStream> {
    return startStream(this.#settings, options)
  }

  /**
   * Returns a transform from a stream message to its plaintext. It decrypts records too if `kinds` names them, and
   * buffers them until their end. It verifies each chunk before it releases the chunk, but it releases chunks
   * before it has seen the end: if the stream errors, discard everything that you wrote.
   *
   * @throws KmsError `ERR_CONTEXT_INVALID`, `ERR_KMS_CONFIG` at once; what {@link EnvelopeCipher.decrypt}
   * throws errors the stream
   */
  decryptStream(options: DecryptOptions = {}): TransformStream<Uint8Array, Uint8Array> {
    return decryptStream(this.#settings, options)
  }

  /**
   * Decrypts a part of a stream message through range reads, as R2 and S3 serve them.
   *
   * @param read - returns bytes of the envelope; every call must see the same version of the object
   * @throws RangeError if the range is invalid
   * @throws KmsError as {@link EnvelopeCipher.decrypt}; `ERR_STORE_UNAVAILABLE` if a read takes longer than
   * `readTimeoutMs`
   */
  decryptRange(
    read: ReadEnvelopeRange,
    range: PlaintextRange,
    options: DecryptRangeOptions = {},
  ): Promise<DecryptedRange> {
    return decryptRange(this.#settings, read, range, options)
  }

  /**
   * Returns the same message under the KEKs that are configured now: all old wraps are dropped, and the body stays
   * byte for byte. Also accepts a data-key record. It does not use the cache.
   *
   * @remarks Security: a rewrap does not help after a DEK or KEK leaked: encrypt the data again instead.
   * @throws KmsError as {@link EnvelopeCipher.decrypt}
   */
  rewrap(envelope: Uint8Array, options: RewrapOptions = {}): Promise<Bytes> {
    return rewrapMessage(this.#settings, envelope, options)
  }

  /** Returns a transform that does what {@link EnvelopeCipher.rewrap} does, for an envelope of any size. */
  rewrapStream(options: RewrapOptions = {}): TransformStream<Uint8Array, Uint8Array> {
    return rewrapStream(this.#settings, options)
  }

  /**
   * Decrypts a message under the context that it carries, and returns that context, verified.
   *
   * @remarks Security: for rotation, inspection and the command line. In an API that several tenants share, it
   * would decrypt one tenant's message for another. Refused if `requiredContextKeys` is set.
   * @throws KmsError `ERR_KMS_UNSUPPORTED`, and as {@link EnvelopeCipher.decrypt}
   */
  decryptStored(
    envelope: Uint8Array,
    options: Omit<DecryptOptions, 'context'> = {},
  ): Promise<StoredPlaintext> {
    return decryptStored(this.#settings, envelope, options)
  }

  /**
   * Returns whether one of the wraps of an envelope is for a configured key. It is `false` for a message by
   * reference, whose wraps are in the data-key store. It does no I/O, and nothing in the envelope is authenticated.
   *
   * @param options - its context selects the KEK if each customer has one (`kmsByContext`)
   * @throws KmsError `ERR_KMS_CONFIG` for bytes: parse them first
   */
  canOpen(envelope: EncryptedEnvelope, options: Pick<MessageOptions, 'context'> = {}): boolean {
    return canOpen(this.#settings, envelope, options)
  }

  /** Drops all data keys and makes open streams fail. Call it after a restore, or to make a revocation immediate. */
  clear(): void {
    this.#settings.keys.clear()
  }
}
