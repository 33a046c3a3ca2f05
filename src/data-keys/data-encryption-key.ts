import {
  type ChunkedKeys,
  CHUNKED,
  decryptRecord,
  deriveChunkedKeys,
  encryptRecord,
  openChunked,
  streamContext,
} from '../ciphers/index.ts'
import { type Bytes, concatBytes, copyBytes } from '../bytes/index.ts'
import type { CanonicalContext, EncryptionContext } from '../kms/index.ts'
import type { Runtime } from '../ports/index.ts'
import {
  encodeHead,
  type KeyHeader,
  LIMITS,
  type MessageKind,
  referenceKindOf,
} from '../wire/index.ts'
import { type DataKeyLimits, mayEncryptAt } from './data-key-limits.ts'

/** Which form the messages of a call have: with the key header inside, or a reference to it. */
export type EnvelopeForm = 'inline' | 'reference'

/** What was encrypted under a data key in this process. */
export interface DataKeyUse {
  readonly messages: number
  /** Of plaintext, in records. */
  readonly bytes: number
}

/** Only {@link DataEncryptionKey.reserve} counts. */
type Count = { -readonly [Name in keyof DataKeyUse]: DataKeyUse[Name] }

/**
 * One data key, ready for use: the derived keys, which cannot be exported, its public header, and
 * what was encrypted under it in this process. It never prints its keys.
 */
export class DataEncryptionKey {
  readonly header: KeyHeader
  /** Its bytes, to be found at once in a message. */
  readonly headerWords: Uint32Array
  /** The context that the commitment binds. */
  readonly context: CanonicalContext
  /** One object for a data key, however often it is fetched. */
  used: DataKeyUse = { messages: 0, bytes: 0 }

  readonly #recordKey: CryptoKey
  readonly #streamKey: CryptoKey
  readonly #heads = new Map<MessageKind, Bytes>()
  #disposed = false

  constructor(
    header: KeyHeader,
    context: CanonicalContext,
    keys: { readonly recordKey: CryptoKey; readonly streamKey: CryptoKey },
  ) {
    const { bytes } = header
    this.header = header
    this.headerWords = new Uint32Array(copyBytes(bytes).buffer, 0, bytes.length >>> 2)
    this.context = context
    this.#recordKey = keys.recordKey
    this.#streamKey = keys.streamKey
  }

  /**
   * Counts one message of this size and says yes, or says no and counts nothing: the key is too
   * old, from the future, or used up (W5.1, W5.3, W5.5). Synchronous, so that two callers cannot
   * take the last message both.
   */
  reserve(limits: DataKeyLimits, nowMs: number, plaintextBytes: number): boolean {
    if (this.#disposed || !mayEncryptAt(this.header.createdAtMs, limits, nowMs)) return false
    const used: Count = this.used
    if (used.messages >= limits.maxMessages) return false // W5.5
    if (used.bytes + plaintextBytes > limits.maxBytes) return false
    used.messages += 1
    used.bytes += plaintextBytes
    return true
  }

  /** One record. The nonce is drawn here, in the turn of the AEAD call (W4.7). */
  encryptRecord(
    plaintext: Bytes,
    aad: Bytes,
    form: EnvelopeForm,
    runtime: Runtime,
  ): Promise<Bytes> {
    this.#demandUsable()
    const nonce = runtime.randomFill(new Uint8Array(LIMITS.nonceBytes))
    return encryptRecord(this.#recordKey, nonce, plaintext, aad, this.#head('record', form))
  }

  /** Opens the body of a record, which begins at `at`. */
  decryptRecord(message: Bytes, aad: Bytes, at = 0): Promise<Bytes> {
    this.#demandUsable()
    return decryptRecord(this.#recordKey, message, aad, at)
  }

  /** Keys for a new stream, and what goes before its first chunk. */
  async startStream(
    aad: EncryptionContext | undefined,
    form: EnvelopeForm,
    runtime: Runtime,
  ): Promise<{ readonly keys: ChunkedKeys; readonly head: Bytes }> {
    this.#demandUsable()
    const salt = runtime.randomFill(new Uint8Array(CHUNKED.saltBytes)) // W4.12
    const head = this.#head('stream', form)
    const keys = await deriveChunkedKeys(this.#streamKey, salt, streamContext(aad))
    return { keys, head: concatBytes(head, salt, keys.commitment) }
  }

  /** Keys of a stream that is read; its commitment is checked. */
  openStream(header: Bytes, aad: EncryptionContext | undefined): Promise<ChunkedKeys> {
    this.#demandUsable()
    return openChunked(this.#streamKey, header, streamContext(aad))
  }

  /**
   * Any later use throws. The platform frees the keys when nothing refers to them any more.
   *
   * Only for a key of which no cache holds the same: a `CachedKms` goes on giving it to readers. Drop it there
   * first, by `invalidate({ commitment })`.
   */
  dispose(): void {
    this.#disposed = true
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  toJSON(): string {
    return '[data key]'
  }

  #demandUsable(): void {
    if (this.#disposed) throw new TypeError('the data key was disposed')
  }

  #head(kind: 'record' | 'stream', form: EnvelopeForm): Bytes {
    const name = form === 'inline' ? kind : referenceKindOf(kind)
    let head = this.#heads.get(name)
    if (head === undefined) {
      head = encodeHead(name, form === 'inline' ? this.header.bytes : this.header.commitment)
      this.#heads.set(name, head)
    }
    return head
  }
}
