import { binaryString, type Bytes, concatBytes, copyBytes } from '../bytes/index.ts'
import type { Runtime } from '../ports/index.ts'
import { openRecord, sealRecord } from './record.ts'
import type { BatchSubkeys, SubkeyPool } from './subkeys.ts'
import { deriveSubkey, XAES, type XaesKey } from './xaes.ts'

/** A writer draws a new prefix after this many messages (W5.5). */
const REDRAW_AFTER = 2 ** 20
/** The most messages under one prefix (W5.6, NIST SP 800-38D section 8.3). */
const MAX_UNDER_PREFIX = 2 ** 32

/** The nonce prefix under which this object writes, and its subkey. */
interface Writer {
  readonly prefix: Bytes
  readonly subkey: CryptoKey
  /** The bytes before the suffix, for each head that a message can have. */
  readonly heads: Map<Bytes, Bytes>
  messages: number
}

/** Seals and opens records under one data key. A call whose subkey is at hand is one AEAD call. */
export class RecordKeys {
  readonly #key: XaesKey
  readonly #runtime: Runtime
  readonly #pool: SubkeyPool
  readonly #name: string
  readonly #redrawAfter: number
  readonly #maxUnderPrefix: number
  #writer: Writer | undefined
  #redrawing = false
  /** The last prefix that was read: most messages follow one of the same writer. */
  #latest: { readonly prefix: Bytes; readonly subkey: CryptoKey } | undefined

  /**
   * @param redrawAfter - messages under one prefix before the next is drawn
   * @param maxUnderPrefix - messages under one prefix while the next is drawn
   */
  constructor(
    key: XaesKey,
    runtime: Runtime,
    pool: SubkeyPool,
    redrawAfter: number = REDRAW_AFTER,
    maxUnderPrefix: number = MAX_UNDER_PREFIX,
  ) {
    this.#key = key
    this.#runtime = runtime
    this.#pool = pool
    this.#name = pool.newName()
    this.#redrawAfter = redrawAfter
    this.#maxUnderPrefix = maxUnderPrefix
  }

  /** Draws the first prefix ahead of its use, so that the first message does not wait for it. */
  async prepare(): Promise<void> {
    const writer = await this.#draw()
    this.#writer ??= writer
  }

  /**
   * Seals one record. The suffix of the nonce is drawn in the turn of the AEAD call (W4.7).
   *
   * @param head - all bytes before the nonce
   */
  seal(head: Bytes, plaintext: Bytes, aad: Bytes): Promise<Bytes> {
    const writer = this.#writer
    if (writer !== undefined && this.#mayGoOn(writer)) {
      return this.#sealUnder(writer, head, plaintext, aad)
    }
    // The caller may use its buffer again before the subkey is there.
    return this.#sealUnderNew(head, copyBytes(plaintext), aad)
  }

  /** Opens the body of a record, which begins at `at`. */
  open(message: Bytes, aad: Bytes, at: number, batch?: BatchSubkeys): Promise<Bytes> {
    const subkey = this.#known(message, at)
    if (subkey !== undefined) return openRecord(subkey, message, aad, at)
    return this.#openUnderNew(copyBytes(message.subarray(at)), aad, batch)
  }

  /** While one message waits for the next prefix, the others go on under the old one (W5.5). */
  #mayGoOn({ messages }: Writer): boolean {
    if (messages < this.#redrawAfter) return true
    return this.#redrawing && messages < this.#maxUnderPrefix // W5.6
  }

  #sealUnder(writer: Writer, head: Bytes, plaintext: Bytes, aad: Bytes): Promise<Bytes> {
    writer.messages += 1
    let start = writer.heads.get(head)
    if (start === undefined) {
      start = concatBytes(head, writer.prefix)
      writer.heads.set(head, start)
    }
    const suffix = this.#runtime.randomFill(new Uint8Array(XAES.suffixBytes))
    return sealRecord(writer.subkey, start, suffix, plaintext, aad)
  }

  async #sealUnderNew(head: Bytes, plaintext: Bytes, aad: Bytes): Promise<Bytes> {
    this.#redrawing = true
    try {
      this.#writer = await this.#draw()
    } finally {
      this.#redrawing = false
    }
    return this.#sealUnder(this.#writer, head, plaintext, aad)
  }

  async #draw(): Promise<Writer> {
    const prefix = this.#runtime.randomFill(new Uint8Array(XAES.prefixBytes))
    const subkey = await deriveSubkey(this.#key, prefix)
    return { prefix, subkey, heads: new Map(), messages: 0 }
  }

  /** Returns the subkey of the prefix at this place, if it is in memory. */
  #known(message: Bytes, at: number): CryptoKey | undefined {
    const writer = this.#writer
    if (writer !== undefined && isPrefixAt(message, at, writer.prefix)) return writer.subkey
    const latest = this.#latest
    if (latest !== undefined && isPrefixAt(message, at, latest.prefix)) return latest.subkey
    const subkey = this.#pool.get(this.#name, binaryString(message, at, at + XAES.prefixBytes))
    if (subkey !== undefined) this.#setLatest(message, at, subkey)
    return subkey
  }

  /** A subkey is kept only after a tag verified under it (W4.34): forged messages cannot push others out. */
  async #openUnderNew(body: Bytes, aad: Bytes, batch: BatchSubkeys | undefined): Promise<Bytes> {
    const prefix = body.slice(0, XAES.prefixBytes)
    const derive = (): Promise<CryptoKey> => deriveSubkey(this.#key, prefix)
    const subkey = await (batch === undefined ? derive() : batch.of(this, prefix, derive))
    const plaintext = await openRecord(subkey, body, aad)
    this.#pool.keep(this.#name, binaryString(prefix), subkey)
    this.#setLatest(prefix, 0, subkey)
    return plaintext
  }

  #setLatest(bytes: Bytes, at: number, subkey: CryptoKey): void {
    this.#latest = { prefix: bytes.slice(at, at + XAES.prefixBytes), subkey }
  }
}

function isPrefixAt(message: Bytes, at: number, prefix: Bytes): boolean {
  for (let i = 0; i < XAES.prefixBytes; i++) if (message[at + i] !== prefix[i]) return false
  return true
}
