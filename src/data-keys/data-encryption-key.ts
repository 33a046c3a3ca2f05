import { type Bytes, concatBytes, copyBytes } from '../bytes/index.ts'
import {
  type BatchSubkeys,
  type ChunkedKeys,
  CHUNKED,
  type DerivedKeys,
  deriveChunkedKeys,
  openChunked,
  RecordKeys,
  streamContext,
  type SubkeyPool,
} from '../ciphers/index.ts'
import type { CanonicalContext, EncryptionContext } from '../kms/index.ts'
import type { Runtime } from '../ports/index.ts'
import { encodeHead, type KeyHeader, type MessageKind, referenceKindOf } from '../wire/index.ts'
import type { Generation } from './generation.ts'

/** Form of a message: `inline` contains the key header, `reference` refers to it in the data-key store. */
export type EnvelopeForm = 'inline' | 'reference'

/** Parts that a data key shares with the others of its source. */
export interface DataKeyPorts {
  readonly runtime: Runtime
  /** The generation that the source's `clear()` ends. */
  readonly generation: Generation
  readonly subkeys: SubkeyPool
  /** Messages under one nonce prefix; 2^20 by default. */
  readonly redrawAfter?: number | undefined
}

/** The keys of one stream. */
export interface StreamKeys {
  readonly keys: ChunkedKeys
  /** @throws KmsError `ERR_DATA_KEY_EXHAUSTED` once the source was cleared: a stream asks before each step */
  readonly demandCurrent: () => void
}

/**
 * One data key, ready for use: its public header, the context that it is bound to, and the derived
 * keys, which cannot be exported. It never prints its keys.
 */
export class DataEncryptionKey {
  readonly header: KeyHeader
  /** The header's bytes as words, to find it fast in a message. */
  readonly headerWords: Uint32Array
  /** The context that the commitment binds. */
  readonly context: CanonicalContext
  /** The generation that the source's `clear()` ends. */
  readonly generation: Generation

  readonly #runtime: Runtime
  readonly #records: RecordKeys
  readonly #streamKey: CryptoKey
  readonly #heads = new Map<MessageKind, Bytes>()
  #disposed = false

  constructor(
    header: KeyHeader,
    context: CanonicalContext,
    keys: Pick<DerivedKeys, 'recordKey' | 'streamKey'>,
    { runtime, generation, subkeys, redrawAfter }: DataKeyPorts,
  ) {
    const { bytes } = header
    this.header = header
    this.headerWords = new Uint32Array(copyBytes(bytes).buffer, 0, bytes.length >>> 2)
    this.context = context
    this.generation = generation
    this.#runtime = runtime
    this.#records = new RecordKeys(keys.recordKey, runtime, subkeys, redrawAfter)
    this.#streamKey = keys.streamKey
  }

  /** Prepares the key for writing, so that the first record costs one AEAD call like all others. */
  prepare(): Promise<void> {
    return this.#records.prepare()
  }

  /** Seals one record. */
  encryptRecord(plaintext: Bytes, aad: Bytes, form: EnvelopeForm): Promise<Bytes> {
    this.#demandUsable()
    this.generation.demandCurrent()
    return this.#records.seal(this.#head('record', form), plaintext, aad)
  }

  /**
   * Decrypts the body of a record, which begins at `at`.
   *
   * @param batch - shares what is derived with the other records of one call
   * @throws KmsError `ERR_DATA_KEY_EXHAUSTED` if the source was cleared after this key was asked for
   */
  decryptRecord(message: Bytes, aad: Bytes, at: number = 0, batch?: BatchSubkeys): Promise<Bytes> {
    this.#demandUsable()
    this.generation.demandCurrent()
    return this.#records.open(message, aad, at, batch)
  }

  /** Returns keys for a new stream, and the bytes before its first chunk. */
  async startStream(
    aad: EncryptionContext | undefined,
    form: EnvelopeForm,
  ): Promise<StreamKeys & { readonly head: Bytes }> {
    this.#demandUsable()
    const salt = this.#runtime.randomFill(new Uint8Array(CHUNKED.saltBytes)) // W4.12
    const head = this.#head('stream', form)
    const keys = await deriveChunkedKeys(this.#streamKey, salt, streamContext(aad))
    return { ...this.#streamOf(keys), head: concatBytes(head, salt, keys.commitment) }
  }

  /** Returns the keys of a stream that is read; its commitment is checked. */
  async openStream(header: Bytes, aad: EncryptionContext | undefined): Promise<StreamKeys> {
    this.#demandUsable()
    return this.#streamOf(await openChunked(this.#streamKey, header, streamContext(aad)))
  }

  /**
   * Makes any later use throw. The platform frees the keys when nothing refers to them any more.
   *
   * Dispose only a key that no cache holds: a `CachedKms` would still return it to readers. Drop it there first, by
   * `invalidate({ commitment })`.
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

  #streamOf(keys: ChunkedKeys): StreamKeys {
    return {
      keys,
      demandCurrent: () => {
        this.#demandUsable()
        this.generation.demandCurrent()
      },
    }
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
