import {
  type Bytes,
  concatBytes,
  copyBytes,
  decodeUtf8,
  encodeUtf8,
  isWellFormed,
  toBytes,
} from '../bytes/index.ts'
import { recordAad } from '../ciphers/index.ts'
import { oneOf, refuseOthers } from '../checks/index.ts'
import { KmsError, type Outcome } from '../errors.ts'
import { canonicalContext, type EncryptionContext } from '../kms/index.ts'
import {
  decodeTextForm,
  encodeHead,
  encodeTextForm,
  type MessageHead,
  type MessageKind,
  parseMessage,
} from '../wire/index.ts'
import {
  type DecryptItem,
  type DecryptManyOptions,
  decryptBatch,
  type EncryptItem,
  encryptBatch,
} from './batches.ts'
import {
  type DecryptedRange,
  decryptRange,
  type PlaintextRange,
  type ReadEnvelopeRange,
} from './decrypt-range.ts'
import { decryptTransform } from './decrypt-stream.ts'
import type { EncryptedEnvelope } from './encrypted-envelope.ts'
import type {
  CallOptions,
  DecryptOptions,
  EncryptOptions,
  EnvelopeCipherOptions,
  MessageOptions,
  StartedStream,
  StartStreamOptions,
} from './options.ts'
import {
  decryptMessage,
  encryptRecordMessage,
  kindsOf,
  openBody,
  openKey,
  readMessage,
  RECORD_KINDS,
  signalOptions,
  snapshot,
} from './records.ts'
import { rewrapTransform } from './rewrap-stream.ts'
import { type CipherSettings, cipherSettings, readPolicy } from './settings.ts'
import { encryptStream, startStream } from './write-stream.ts'

const STREAM_KINDS: readonly MessageKind[] = ['stream', 'stream-by-reference']
/** What has wraps of its own. A message by reference is rewrapped through its data-key record. */
const WRAPPED_KINDS: readonly MessageKind[] = ['record', 'stream', 'data-key-record']

/** Options of a rewrap. */
export interface RewrapOptions extends CallOptions {
  readonly context?: EncryptionContext
  /**
   * `open` (default): the new wraps are proven to open the same DEK. `kms`: nothing is proven, for
   * workers that may only rewrap.
   */
  readonly verify?: 'open' | 'kms'
}

/**
 * Envelope encryption over a KMS: data is encrypted here, under data keys that the KMS wraps.
 *
 * @remarks Security: `context` and `aad` must be given to decrypt exactly as they were given to
 * encrypt. Every failure that comes from the envelope, the key, the context or the aad is
 * `ERR_DECRYPT_FAILED`.
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

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: EnvelopeCipherOptions) {
    this.#settings = cipherSettings(options)
  }

  /**
   * Encrypts bytes into one record: 32 bytes and the key header longer, or 64 bytes by reference.
   *
   * @param plaintext - at most `maxRecordBytes` (1 MiB by default); may be used again as soon as this returns
   * @throws KmsError `ERR_ENVELOPE_TOO_LARGE`, `ERR_CONTEXT_INVALID`, or the KMS's error
   */
  encrypt(plaintext: Uint8Array, options: EncryptOptions = {}): Promise<Bytes> {
    return encryptRecordMessage(this.#settings, plaintext, options)
  }

  /**
   * Decrypts a record; other kinds only where `kinds` names them.
   *
   * @throws KmsError `ERR_DECRYPT_FAILED`, `ERR_WIRE_*`, `ERR_ENVELOPE_UNKNOWN_KEY`,
   * `ERR_ENVELOPE_UNKNOWN_REFERENCE`, `ERR_CONTEXT_INVALID`, or the KMS's error
   */
  decrypt(envelope: Uint8Array, options: DecryptOptions = {}): Promise<Bytes> {
    return decryptMessage(this.#settings, envelope, options)
  }

  /**
   * Encrypts text into the text form: `ek1.` and base64url.
   *
   * @throws TypeError if the text has a lone surrogate, which UTF-8 cannot hold
   * @throws KmsError as {@link EnvelopeCipher.encrypt}
   */
  async encryptText(text: string, options: EncryptOptions = {}): Promise<string> {
    if (!isWellFormed(text)) throw new TypeError('a lone surrogate')
    return encodeTextForm(await this.encrypt(encodeUtf8(text), options))
  }

  /**
   * Decrypts what {@link EnvelopeCipher.encryptText} made.
   *
   * @throws TypeError if the plaintext is not text
   * @throws KmsError as {@link EnvelopeCipher.decrypt}
   */
  async decryptText(text: string, options: DecryptOptions = {}): Promise<string> {
    const plaintext = decodeUtf8(await this.decrypt(decodeTextForm(text), options))
    if (plaintext === undefined) throw new TypeError('text is not UTF-8')
    return plaintext
  }

  /**
   * Encrypts many records at once: in order, one outcome for each; never rejects for one item. A
   * failure of the KMS for one item is that of all later items of its context.
   *
   * @throws TypeError before any work, if a plaintext is no `Uint8Array`
   */
  async encryptMany(
    items: readonly EncryptItem[],
    options: CallOptions = {},
  ): Promise<readonly Outcome<Bytes>[]> {
    return encryptBatch(this.#settings, items, options)
  }

  /**
   * Decrypts many records at once, each distinct data key unwrapped once: in order, one outcome for
   * each; never rejects for one item. An envelope that is no `Uint8Array` is `ERR_WIRE_MALFORMED`.
   */
  async decryptMany(
    items: readonly DecryptItem[],
    options: DecryptManyOptions = {},
  ): Promise<readonly Outcome<Bytes>[]> {
    return decryptBatch(this.#settings, items, options)
  }

  /**
   * A transform from plaintext to a stream message, of any length and in constant memory. The data
   * key is made with the first bytes.
   *
   * @throws KmsError `ERR_CONTEXT_INVALID` at once; anything else errors the stream
   */
  encryptStream(options: EncryptOptions = {}): TransformStream<Uint8Array, Uint8Array> {
    return encryptStream(this.#settings, options)
  }

  /**
   * Makes the data key first, then returns the transform from plaintext to a stream message, and the
   * exact length of that message if you know the length of the plaintext. Object stores such as R2 and
   * answers with a `Content-Length` need it.
   *
   * The transform errors with a `RangeError` if more or fewer bytes arrive than `plaintextBytes` says;
   * no envelope that can be opened is complete then.
   *
   * @throws KmsError `ERR_CONTEXT_INVALID`, `ERR_KMS_CONFIG`, or the KMS's error
   *
   * @example
   * ```ts
   * import { EnvelopeCipher } from 'edge-kms'
   *
   * export async function seal(cipher: EnvelopeCipher, file: Blob): Promise<Response> {
   *   const { envelopeBytes, transform } = await cipher.startStream({ plaintextBytes: file.size })
   *   const headers = { 'content-length': String(envelopeBytes) }
   *   return new Response(file.stream().pipeThrough(transform), { headers })
   * }
   * ```
   */
  startStream(options: StartStreamOptions = {}): Promise<StartedStream> {
    return startStream(this.#settings, options)
  }

  /**
   * A transform from a stream message to its plaintext; records too where `kinds` names them, which
   * are held until their end. No byte leaves before its tag is verified, but bytes leave before the
   * end is seen: what was written must be thrown away if the stream errors.
   *
   * @throws KmsError `ERR_CONTEXT_INVALID` at once; what {@link EnvelopeCipher.decrypt} throws errors the stream
   */
  decryptStream(options: DecryptOptions = {}): TransformStream<Uint8Array, Uint8Array> {
    const { context, aad } = snapshot(options)
    const settings = this.#settings
    return decryptTransform({
      policy: readPolicy(settings, kindsOf(options.kinds, STREAM_KINDS)),
      maxRecordBodyBytes: settings.maxRecordBodyBytes,
      signal: options.signal,
      open: (head) => openKey(settings, head, context, options),
      openStream: (key, header) => key.openStream(header, aad),
      openRecord: (key, body) => key.decryptRecord(body, recordAad(aad)),
    })
  }

  /**
   * Decrypts a part of a stream message through range reads, as R2 and S3 serve them.
   *
   * @param read - gives bytes of the envelope; every call must see the same version of the object
   * @throws RangeError if the range makes no sense
   * @throws KmsError as {@link EnvelopeCipher.decrypt}
   */
  async decryptRange(
    read: ReadEnvelopeRange,
    range: PlaintextRange,
    options: MessageOptions = {},
  ): Promise<DecryptedRange> {
    const { context, aad } = snapshot(options)
    return decryptRange(read, range, {
      policy: readPolicy(this.#settings, STREAM_KINDS),
      signal: options.signal,
      open: (head) => openKey(this.#settings, head, context, options),
      openStream: (key, header) => key.openStream(header, aad),
    })
  }

  /**
   * The same message under the KEKs that are configured now: every old wrap is dropped, the body
   * stays byte for byte. Also takes a data-key record. Goes past the cache.
   *
   * @remarks Security: does not help once a DEK or KEK is known to somebody: re-encrypt then.
   * @throws KmsError as {@link EnvelopeCipher.decrypt}
   */
  async rewrap(envelope: Uint8Array, options: RewrapOptions = {}): Promise<Bytes> {
    options.signal?.throwIfAborted()
    const bytes = copyBytes(toBytes(envelope, 'envelope'))
    const head = parseMessage(bytes, readPolicy(this.#settings, WRAPPED_KINDS))
    const newHead = await this.#rewrapHead(head, options)
    return concatBytes(newHead, bytes.subarray(head.bodyAt))
  }

  /** {@link EnvelopeCipher.rewrap} for an envelope of any size. */
  rewrapStream(options: RewrapOptions = {}): TransformStream<Uint8Array, Uint8Array> {
    const context = canonicalContext(options.context).map
    return rewrapTransform(
      readPolicy(this.#settings, WRAPPED_KINDS),
      (head) => this.#rewrapHead(head, { ...options, context }),
      options.signal,
    )
  }

  /**
   * Decrypts a message under the context that it carries, and returns that context, verified.
   *
   * @remarks Security: for rotation, inspection and the command line. Behind an API that several
   * tenants share it would open one tenant's message for another. Refused where
   * `requiredContextKeys` is set.
   * @throws KmsError `ERR_KMS_UNSUPPORTED`, and as {@link EnvelopeCipher.decrypt}
   */
  async decryptStored(
    envelope: Uint8Array,
    options: Omit<DecryptOptions, 'context'> = {},
  ): Promise<{ readonly plaintext: Bytes; readonly context: EncryptionContext }> {
    options.signal?.throwIfAborted()
    const { keys } = this.#settings
    if (keys.policy.requiredContextKeys.length > 0) {
      throw new KmsError('ERR_KMS_UNSUPPORTED', {
        message: 'requiredContextKeys is set', // W6.8
      })
    }
    refuseOthers({ context: (options as DecryptOptions).context })
    const { aad } = snapshot(options)
    const bytes = copyBytes(toBytes(envelope, 'envelope'))
    const kinds = [...RECORD_KINDS, ...STREAM_KINDS]
    const head = readMessage(this.#settings, bytes, kindsOf(options.kinds, kinds))
    const header = head.header ?? (await keys.headerOf(head.commitment, signalOptions(options)))
    const key = await keys.open(header, header.stored, signalOptions(options))
    const plaintext = await openBody(head, bytes.subarray(head.bodyAt), key, aad)
    return { plaintext, context: key.context.map } // W6.7
  }

  /**
   * Whether one of the wraps of an envelope is for a configured key: never so for a message by
   * reference, whose wraps are in the data-key store. No I/O; what an envelope says proves little.
   */
  canOpen(envelope: EncryptedEnvelope): boolean {
    return this.#settings.keys.canOpen(envelope.wraps)
  }

  /** Drops every data key that is held: after a restore from a snapshot, or to make a revocation immediate. */
  clear(): void {
    this.#settings.keys.clear()
  }

  async #rewrapHead(head: MessageHead, options: RewrapOptions): Promise<Bytes> {
    const { header } = head
    // Options of the message itself may come along: its aad is not touched.
    const given: RewrapOptions & EncryptOptions = options
    const { context, aad: _aad, verify = 'open', signal, defer, ...others } = given
    refuseOthers(others)
    if (header === undefined) throw new KmsError('ERR_WIRE_KIND_REFUSED')
    const next = await this.#settings.keys.rewrap(header, context, {
      signal,
      defer,
      verify: oneOf('verify', verify, ['open', 'kms']),
    })
    return encodeHead(head.kind, next.bytes)
  }
}
