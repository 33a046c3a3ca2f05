import { type Bytes, concatBytes, toBytes } from '../bytes/index.ts'
import { CHUNKED, type ChunkedKeys, openChunk } from '../ciphers/index.ts'
import type { DataEncryptionKey } from '../data-keys/index.ts'
import { KmsError } from '../errors.ts'
import { type MessageHead, parseHead, type ReadPolicy } from '../wire/index.ts'
import { OrderedWindow } from './ordered-window.ts'

/**
 * Reads bytes `start` (inclusive) to `end` (exclusive) of the envelope; fewer at its end, none past
 * it. All reads of one call must see one version of the object: pin its ETag.
 */
export type ReadEnvelopeRange = (start: number, end: number) => Promise<Uint8Array>

/** Bytes of the plaintext, `end` exclusive. */
export interface PlaintextRange {
  /** Negative: so many bytes from the end; then `size` is needed. */
  readonly start: number
  /** To the end of the message where it is absent. */
  readonly end?: number
  /** Size of the whole envelope in bytes, where it is known. */
  readonly size?: number
}

/** What a range read found. */
export interface DecryptedRange {
  readonly plaintext: Bytes
  /** Offsets of `plaintext` in the message; a range past the end is shorter than asked for. */
  readonly start: number
  readonly end: number
  /**
   * Whether the final chunk was opened, so that the message is known to end where `length` says.
   * `false`: the bytes stand at these offsets, and nothing is known about what follows.
   */
  readonly lengthVerified: boolean
  /** Length of the whole plaintext; only with `lengthVerified`. */
  readonly length?: number
}

/** What a range is decrypted with. */
export interface RangeReading {
  readonly policy: ReadPolicy
  readonly signal?: AbortSignal | undefined
  open(head: MessageHead): Promise<DataEncryptionKey>
  openStream(key: DataEncryptionKey, header: Bytes): Promise<ChunkedKeys>
}

const FIRST_READ_BYTES = 1_024
const MAX_PLAINTEXT = CHUNKED.maxChunks * CHUNKED.chunkBytes
/** Chunks of one read where the end is not known. */
const CHUNKS_PER_READ = 64

/** Decrypts a part of a stream message. Both commitments are checked first (W4.19). */
export async function decryptRange(
  read: ReadEnvelopeRange,
  range: PlaintextRange,
  reading: RangeReading,
): Promise<DecryptedRange> {
  checkRange(range)
  const source = async (start: number, end: number): Promise<Bytes> => {
    reading.signal?.throwIfAborted()
    const bytes = toBytes(await read(start, end), 'what read() returns')
    // A server that ignores the range must not make offsets lie.
    if (bytes.length > end - start) throw new TypeError('read() returned more than was asked for')
    return bytes
  }
  const head = await readHead(source, reading.policy)
  const key = await reading.open(head)
  const header = await source(head.bodyAt, head.bodyAt + CHUNKED.headerBytes)
  if (header.length < CHUNKED.headerBytes) throw new KmsError('ERR_DECRYPT_FAILED')
  const chunks = new ChunkRun(source, await reading.openStream(key, header), head.bodyAt)

  const claimed = range.size === undefined ? undefined : lengthOf(range.size - head.bodyAt)
  if (range.start >= 0) return slice(chunks, range.start, range.end, claimed)
  const length = claimed as number
  const found = await slice(chunks, Math.max(0, length + range.start), undefined, claimed)
  if (found.length !== length) {
    throw new KmsError('ERR_WIRE_MALFORMED', { message: 'size is not that of this envelope' })
  }
  return found
}

async function slice(
  chunks: ChunkRun,
  start: number,
  end: number | undefined,
  claimed: number | undefined,
): Promise<DecryptedRange> {
  const first = Math.floor(start / CHUNKED.chunkBytes)
  if (end === start) return { plaintext: new Uint8Array(0), start, end, lengthVerified: false }
  const last = end === undefined ? undefined : Math.floor((end - 1) / CHUNKED.chunkBytes)
  const { parts, length, empty } = await chunks.open(first, last, end)
  if (empty) {
    const total = await chunks.findEnd(first, claimed)
    // Nothing was read where the message has bytes: the source is not one version of one object.
    if (total > start) throw new KmsError('ERR_DECRYPT_FAILED')
    const plaintext = new Uint8Array(0)
    return { plaintext, start: total, end: total, lengthVerified: true, length: total }
  }
  const whole = concatBytes(...parts)
  const base = first * CHUNKED.chunkBytes
  const until = Math.min(end ?? Infinity, base + whole.length)
  const from = Math.min(start, until)
  const plaintext = whole.slice(from - base, until - base)
  const place = { plaintext, start: from, end: until }
  // W4.21
  return length === undefined
    ? { ...place, lengthVerified: false }
    : { ...place, lengthVerified: true, length }
}

/** The chunks of one message behind a source of ranges. */
class ChunkRun {
  readonly #source: ReadEnvelopeRange
  readonly #keys: ChunkedKeys
  readonly #base: number

  constructor(source: ReadEnvelopeRange, keys: ChunkedKeys, bodyAt: number) {
    this.#source = source
    this.#keys = keys
    this.#base = bodyAt + CHUNKED.headerBytes
  }

  /** Opens chunks `first` to `last`, or to the final one; `length` is known if that one was opened. */
  async open(
    first: number,
    last: number | undefined,
    end: number | undefined,
  ): Promise<{ readonly parts: Bytes[]; readonly length?: number; readonly empty: boolean }> {
    const parts: Bytes[] = []
    const window = new OrderedWindow((part) => parts.push(part))
    // A range that ends with a chunk may end with the message: only the next bytes tell (W4.20).
    const peek = end !== undefined && end % CHUNKED.chunkBytes === 0 ? CHUNKED.tagBytes + 1 : 0
    let index = first
    while (last === undefined || index <= last) {
      const count = last === undefined ? CHUNKS_PER_READ : last - index + 1
      const asked = count * CHUNKED.sealedChunkBytes + peek
      const bytes = (await this.#source(this.#at(index), this.#at(index) + asked)) as Bytes
      if (bytes.length === 0 && index === first && first > 0) return { parts, empty: true }
      let at = 0
      for (let i = 0; i < count && bytes.length - at >= CHUNKED.sealedChunkBytes; i++) {
        await window.add(
          openChunk(this.#keys, index++, bytes.subarray(at, at + CHUNKED.sealedChunkBytes)),
        )
        at += CHUNKED.sealedChunkBytes
      }
      if (bytes.length === asked) continue
      // W4.22, W4.16: what is shorter than a chunk is the final one, or the message was cut.
      const final = bytes.subarray(at)
      if (final.length < CHUNKED.tagBytes) throw new KmsError('ERR_DECRYPT_FAILED')
      await window.add(openChunk(this.#keys, index, final))
      await window.drain()
      const length = index * CHUNKED.chunkBytes + final.length - CHUNKED.tagBytes
      return { parts, length, empty: false }
    }
    await window.drain()
    return { parts, empty: false }
  }

  /** Length of the plaintext, proven by the final chunk, which lies before chunk `past`. */
  async findEnd(past: number, claimed: number | undefined): Promise<number> {
    let low = 0
    let high = past - 1
    if (claimed !== undefined) low = high = Math.floor(claimed / CHUNKED.chunkBytes)
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const probe = await this.#source(this.#at(middle), this.#at(middle) + 1)
      if (probe.length === 0) high = middle - 1
      else low = middle
    }
    const { length } = await this.open(low, undefined, undefined)
    if (length === undefined) throw new KmsError('ERR_DECRYPT_FAILED')
    return length
  }

  #at(index: number): number {
    return this.#base + index * CHUNKED.sealedChunkBytes
  }
}

async function readHead(source: ReadEnvelopeRange, policy: ReadPolicy): Promise<MessageHead> {
  let need = FIRST_READ_BYTES
  for (;;) {
    const bytes = (await source(0, need)) as Bytes
    const head = parseHead(bytes, policy)
    if (!('need' in head)) return head
    if (bytes.length < need) throw new KmsError('ERR_WIRE_MALFORMED', { message: 'cut short' })
    // Twice as much at least: a header with many wraps must not cost a read for each of its fields.
    need = Math.max(head.need, need * 2)
  }
}

function checkRange({ start, end, size }: PlaintextRange): void {
  const isOffset = (value: number | undefined): boolean =>
    value === undefined || (Number.isSafeInteger(value) && value >= 0 && value <= MAX_PLAINTEXT)
  if (!isOffset(Math.abs(start)) || !isOffset(end) || !isOffset(size)) {
    throw new RangeError('start, end and size must be integers')
  }
  // From the end: with size, and without end.
  const fits = start < 0 ? size !== undefined && end === undefined : (end ?? start) >= start
  if (!fits) throw new RangeError('start, end and size do not fit together')
}

/** Length of the plaintext of a body of this many bytes. */
function lengthOf(bodyBytes: number): number {
  const sealed = bodyBytes - CHUNKED.headerBytes
  const last = sealed % CHUNKED.sealedChunkBytes
  if (sealed < 0 || last < CHUNKED.tagBytes) {
    throw new KmsError('ERR_WIRE_MALFORMED', {
      message: 'size is not that of this envelope',
    })
  }
  return (
    Math.floor(sealed / CHUNKED.sealedChunkBytes) * CHUNKED.chunkBytes + last - CHUNKED.tagBytes
  )
}
