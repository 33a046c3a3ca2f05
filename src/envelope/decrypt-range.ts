import { type Bytes, concatBytes, toBytes } from '../bytes/index.ts'
import { CHUNKED, type ChunkedKeys, openChunk } from '../ciphers/index.ts'
import type { DataEncryptionKey } from '../data-keys/index.ts'
import { KmsError } from '../errors.ts'
import { untilAborted } from '../runtime/index.ts'
import type { MessageHead, ReadPolicy } from '../wire/index.ts'
import { HeadReader } from './head-reader.ts'
import { MAX_STREAM_BYTES, streamPlaintextBytes } from './message-size.ts'
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
  /**
   * Size of the whole envelope in bytes, where it is known. It is verified, for one read more: the
   * final chunk is opened wherever the range lies.
   */
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
/** Chunks of one read where the end is not known. */
const CHUNKS_PER_READ = 64

/** What is read, checked. */
type Source = (start: number, end: number) => Promise<Bytes>

/** Decrypts a part of a stream message. Both commitments are checked first (W4.19). */
export async function decryptRange(
  read: ReadEnvelopeRange,
  range: PlaintextRange,
  reading: RangeReading,
): Promise<DecryptedRange> {
  checkRange(range)
  const source: Source = async (start, end) => {
    reading.signal?.throwIfAborted()
    const bytes = toBytes(
      await untilAborted(read(start, end), reading.signal),
      'what read() returns',
    )
    // A server that ignores the range must not make offsets lie.
    if (bytes.length > end - start) throw new TypeError('read() returned too much')
    return bytes
  }
  const head = await readHead(source, reading.policy)
  const key = await reading.open(head)
  const base = head.bodyAt + CHUNKED.headerBytes
  const header = await source(head.bodyAt, base)
  const chunks = chunkRun(source, await reading.openStream(key, header), base)

  const { start, end, size } = range
  if (size === undefined) return slice(chunks, start, end)
  const length = streamPlaintextBytes(size - head.bodyAt)
  const until = Math.min(end ?? length, length)
  const from = start < 0 ? Math.max(0, length + start) : Math.min(start, until)
  const found = await slice(chunks, from, until)
  const final = Math.floor(length / CHUNKED.chunkBytes)
  if ((found.length ?? (await chunks.open(final, final)).length) !== length) {
    throw new KmsError('ERR_DECRYPT_FAILED') // W4.16
  }
  return { ...found, lengthVerified: true, length }
}

async function slice(
  chunks: ChunkRun,
  start: number,
  end: number | undefined,
): Promise<DecryptedRange> {
  const first = Math.floor(start / CHUNKED.chunkBytes)
  // One chunk at least: an empty range may lie past the end, too.
  const last = end === undefined ? end : Math.max(first, Math.floor((end - 1) / CHUNKED.chunkBytes))
  const opened = await chunks.open(first, last, end)
  const length = opened.parts.length === 0 ? await chunks.findEnd(first) : opened.length
  const whole = concatBytes(...opened.parts)
  const base = first * CHUNKED.chunkBytes
  const until = Math.min(end ?? Infinity, length ?? base + whole.length)
  const from = Math.min(start, until)
  const plaintext = whole.slice(from - base, until - base)
  const lengthVerified = length !== undefined // W4.21
  const found = { plaintext, start: from, end: until, lengthVerified }
  return length === undefined ? found : { ...found, length }
}

/** The chunks of one message behind a source of ranges. */
interface ChunkRun {
  /**
   * Opens chunks `first` to `last`, or to the final one; `length` is known if that one was opened.
   * No parts: the message ends before `first`.
   */
  open(
    first: number,
    last?: number,
    end?: number,
  ): Promise<{ readonly parts: readonly Bytes[]; readonly length?: number }>
  /** Length of the plaintext, proven by the final chunk, which lies before chunk `past`. */
  findEnd(past: number): Promise<number>
}

/** @param base - where the first chunk lies */
function chunkRun(source: Source, keys: ChunkedKeys, base: number): ChunkRun {
  const placeOf = (index: number): number => base + index * CHUNKED.sealedChunkBytes
  const open: ChunkRun['open'] = async (first, last, end) => {
    const parts: Bytes[] = []
    const window = new OrderedWindow((part) => parts.push(part))
    // A range that ends with a chunk may end with the message: only the next bytes tell (W4.20).
    const peek = end !== undefined && end % CHUNKED.chunkBytes === 0 ? CHUNKED.tagBytes + 1 : 0
    let index = first
    while (last === undefined || index <= last) {
      const count = last === undefined ? CHUNKS_PER_READ : last - index + 1
      const asked = count * CHUNKED.sealedChunkBytes + peek
      const bytes = await source(placeOf(index), placeOf(index) + asked)
      if (bytes.length === 0 && index === first && first > 0) return { parts }
      let at = 0
      for (let i = 0; i < count && bytes.length - at >= CHUNKED.sealedChunkBytes; i++) {
        const sealed = bytes.subarray(at, (at += CHUNKED.sealedChunkBytes))
        await window.add(openChunk(keys, index++, sealed))
      }
      if (bytes.length === asked) continue
      // W4.22, W4.16: what is shorter than a chunk is the final one, or the message was cut.
      const final = bytes.subarray(at)
      if (final.length < CHUNKED.tagBytes) throw new KmsError('ERR_DECRYPT_FAILED')
      await window.add(openChunk(keys, index, final))
      await window.drain()
      return { parts, length: index * CHUNKED.chunkBytes + final.length - CHUNKED.tagBytes }
    }
    await window.drain()
    return { parts }
  }
  return {
    open,
    async findEnd(past): Promise<number> {
      let low = 0
      let high = past - 1
      while (low < high) {
        const middle = Math.ceil((low + high) / 2)
        const probe = await source(placeOf(middle), placeOf(middle) + 1)
        if (probe.length === 0) high = middle - 1
        else low = middle
      }
      // If this is not the final chunk, the source is not one version of one object.
      const { length } = await open(low, low)
      if (length === undefined) throw new KmsError('ERR_DECRYPT_FAILED')
      return length
    },
  }
}

async function readHead(source: Source, policy: ReadPolicy): Promise<MessageHead> {
  const heads = new HeadReader(policy)
  let at = 0
  // Twice as much each time: a header with many wraps must not cost a read for each of its fields.
  for (let until = FIRST_READ_BYTES; ; until *= 2) {
    const bytes = await source(at, until)
    const found = heads.push(bytes)
    if (found !== undefined) return found.head
    if (bytes.length < until - at) throw heads.end()
    at = until
  }
}

function checkRange({ start, end, size }: PlaintextRange): void {
  const isOffset = (value = 0): boolean =>
    Number.isSafeInteger(value) && value >= 0 && value <= MAX_STREAM_BYTES + 1
  // From the end: with size, and without end.
  const fits = start < 0 ? size !== undefined && end === undefined : (end ?? start) >= start
  if (
    fits &&
    Number.isSafeInteger(start) &&
    isOffset(Math.abs(start)) &&
    isOffset(end) &&
    isOffset(size)
  )
    return
  throw new RangeError('start, end and size do not fit')
}
