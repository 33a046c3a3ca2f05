import type { Bytes } from '../bytes/index.ts'
import type { ChunkedKeys } from '../ciphers/index.ts'
import type { StreamKeys } from '../data-keys/index.ts'
import { BlockSplitter } from './block-splitter.ts'
import { OrderedWindow } from './ordered-window.ts'

/** `sealChunk` or `openChunk`. */
export type ChunkWork = (keys: ChunkedKeys, index: number, block: Bytes) => Promise<Bytes>

/** Cuts pieces into blocks, seals or opens each as one chunk, and gives the results on in order. */
export class ChunkPipeline {
  readonly #work: ChunkWork
  readonly #keys: ChunkedKeys
  readonly #demandCurrent: () => void
  readonly #splitter: BlockSplitter
  readonly #window: OrderedWindow
  #index = 0

  constructor(
    work: ChunkWork,
    blockBytes: number,
    { keys, demandCurrent }: StreamKeys,
    emit: (bytes: Bytes) => void,
  ) {
    this.#work = work
    this.#keys = keys
    this.#demandCurrent = demandCurrent
    this.#splitter = new BlockSplitter(blockBytes)
    this.#window = new OrderedWindow((bytes) => {
      demandCurrent()
      emit(bytes)
    })
  }

  /** Bytes that did not fill a block yet. */
  get restBytes(): number {
    return this.#splitter.rest().length
  }

  async push(piece: Bytes): Promise<void> {
    for (const block of this.#splitter.push(piece)) {
      const full = this.#start(block)
      if (full !== undefined) await full
    }
  }

  /** Works on the rest as the final chunk, also if it is empty, and gives everything on. */
  async end(): Promise<void> {
    await this.#start(this.#splitter.rest())
    await this.drain()
  }

  /** Gives on everything that was started. */
  drain(): Promise<void> {
    return this.#window.drain()
  }

  #start(block: Bytes): Promise<void> | undefined {
    this.#demandCurrent()
    return this.#window.add(this.#work(this.#keys, this.#index++, block))
  }
}
