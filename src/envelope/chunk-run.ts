import type { Bytes } from '../bytes/index.ts'
import { CHUNKED, openChunk } from '../ciphers/index.ts'
import { KmsError } from '../errors.ts'
import type { StreamKeys } from '../data-keys/index.ts'
import { OrderedWindow } from './ordered-window.ts'
import type { RangeSource } from './range-source.ts'

/** Chunks of one read if the end is not known. */
const CHUNKS_PER_READ = 64

/** The result of {@link ChunkRun.open}. */
export interface OpenedChunks {
  /** Plaintext by chunk. Empty: the message ends before the first chunk that was asked for. */
  readonly parts: readonly Bytes[]
  /** Length of the whole plaintext, if the final chunk was opened. */
  readonly length?: number
}

/** The chunks of one stream message behind a source of ranges. */
export class ChunkRun {
  readonly #source: RangeSource
  readonly #opened: StreamKeys
  readonly #base: number

  /** @param base - where the first chunk lies in the envelope */
  constructor(source: RangeSource, opened: StreamKeys, base: number) {
    this.#source = source
    this.#opened = opened
    this.#base = base
  }

  /**
   * Opens chunks `first` to `last`, or to the final one.
   *
   * @param end - where the plaintext range ends
   */
  async open(first: number, last?: number, end?: number): Promise<OpenedChunks> {
    const parts: Bytes[] = []
    const window = new OrderedWindow((part) => parts.push(part))
    // A range that ends with a chunk may end with the message: only the next bytes tell (W4.20).
    const peek = end !== undefined && end % CHUNKED.chunkBytes === 0 ? CHUNKED.tagBytes + 1 : 0
    let index = first
    while (last === undefined || index <= last) {
      const count = last === undefined ? CHUNKS_PER_READ : last - index + 1
      const asked = count * CHUNKED.sealedChunkBytes + peek
      const bytes = await this.#source(this.#placeOf(index), this.#placeOf(index) + asked)
      if (bytes.length === 0 && index === first && first > 0) return { parts }
      let at = 0
      for (let i = 0; i < count && bytes.length - at >= CHUNKED.sealedChunkBytes; i++) {
        const sealed = bytes.subarray(at, (at += CHUNKED.sealedChunkBytes))
        await window.add(this.#openChunk(index++, sealed))
      }
      if (bytes.length === asked) continue
      // W4.22, W4.16: what is shorter than a chunk is the final one, or the message was cut.
      const final = bytes.subarray(at)
      if (final.length < CHUNKED.tagBytes) throw new KmsError('ERR_DECRYPT_FAILED')
      await window.add(this.#openChunk(index, final))
      await window.drain()
      return { parts, length: index * CHUNKED.chunkBytes + final.length - CHUNKED.tagBytes }
    }
    await window.drain()
    return { parts }
  }

  /** Returns the length of the plaintext, proven by the final chunk, which lies before chunk `past`. */
  async findEnd(past: number): Promise<number> {
    let low = 0
    let high = past - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const probe = await this.#source(this.#placeOf(middle), this.#placeOf(middle) + 1)
      if (probe.length === 0) high = middle - 1
      else low = middle
    }
    // If this is not the final chunk, the source is not one version of one object.
    const { length } = await this.open(low, low)
    if (length === undefined) throw new KmsError('ERR_DECRYPT_FAILED')
    return length
  }

  #openChunk(index: number, sealed: Bytes): Promise<Bytes> {
    this.#opened.demandCurrent()
    return openChunk(this.#opened.keys, index, sealed)
  }

  #placeOf(index: number): number {
    return this.#base + index * CHUNKED.sealedChunkBytes
  }
}
