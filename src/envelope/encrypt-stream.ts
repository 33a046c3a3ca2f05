import { type Bytes, toBytes } from '../bytes/index.ts'
import { CHUNKED, type ChunkedKeys, sealChunk } from '../ciphers/index.ts'
import { abortableTransform } from './abortable-transform.ts'
import { BlockSplitter } from './block-splitter.ts'
import { OrderedWindow } from './ordered-window.ts'

/** What a stream is encrypted with. */
export interface StreamStart {
  readonly keys: ChunkedKeys
  /** Everything before the first chunk. */
  readonly head: Bytes
  /** Throws once the keys may not be used any more. */
  readonly demandCurrent?: () => void
}

/** What {@link encryptTransform} needs. */
export interface StreamWriting {
  /** Called with the first bytes, or at the end of an empty stream. */
  readonly start: () => StreamStart | Promise<StreamStart>
  readonly signal?: AbortSignal | undefined
  /** The length of the plaintext, where the caller announced it: any other length errors the stream. */
  readonly plaintextBytes?: number | undefined
}

/** Returns a transform from plaintext to a stream message. A transform that is never used starts nothing. */
export function encryptTransform({
  start,
  signal,
  plaintextBytes,
}: StreamWriting): TransformStream<Uint8Array, Uint8Array> {
  let sealer: ChunkSealer | undefined
  let taken = 0
  const begin = async (to: TransformStreamDefaultController<Uint8Array>): Promise<ChunkSealer> => {
    const started = await start()
    to.enqueue(started.head)
    return new ChunkSealer(started, (sealed) => {
      to.enqueue(sealed)
    })
  }
  return abortableTransform(
    signal,
    async (piece, to) => {
      const bytes = toBytes(piece, 'a piece of a stream')
      taken += bytes.length
      if (plaintextBytes !== undefined && taken > plaintextBytes) {
        throw wrongLength(plaintextBytes, `at least ${String(taken)}`)
      }
      sealer ??= await begin(to)
      await sealer.push(bytes)
    },
    async (to) => {
      if (plaintextBytes !== undefined && taken < plaintextBytes) {
        throw wrongLength(plaintextBytes, String(taken))
      }
      sealer ??= await begin(to)
      await sealer.end()
    },
  )
}

function wrongLength(announced: number, got: string): RangeError {
  return new RangeError(`plaintextBytes said ${String(announced)} bytes, the stream has ${got}`)
}

/** Seals plaintext as the chunks of one message. */
class ChunkSealer {
  readonly #splitter = new BlockSplitter(CHUNKED.chunkBytes)
  readonly #window: OrderedWindow
  readonly #keys: ChunkedKeys
  readonly #demandCurrent: () => void
  #index = 0

  constructor({ keys, demandCurrent = () => undefined }: StreamStart, emit: (b: Bytes) => void) {
    this.#keys = keys
    this.#demandCurrent = demandCurrent
    this.#window = new OrderedWindow((sealed) => {
      demandCurrent()
      emit(sealed)
    })
  }

  async push(plaintext: Bytes): Promise<void> {
    for (const block of this.#splitter.push(plaintext)) {
      const full = this.#seal(block)
      if (full !== undefined) await full
    }
  }

  async end(): Promise<void> {
    // W4.14: the final chunk is always there, and always shorter than the others.
    await this.#seal(this.#splitter.rest())
    await this.#window.drain()
  }

  #seal(block: Bytes): Promise<void> | undefined {
    this.#demandCurrent()
    return this.#window.add(sealChunk(this.#keys, this.#index++, block))
  }
}
