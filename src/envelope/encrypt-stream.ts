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
}

/**
 * Plaintext to a stream message. `start` is called with the first bytes, or at the end of an empty
 * stream, so that a stream which is never used costs no KMS call.
 */
export function encryptTransform(
  start: () => Promise<StreamStart>,
  signal: AbortSignal | undefined,
): TransformStream<Uint8Array, Uint8Array> {
  const splitter = new BlockSplitter(CHUNKED.chunkBytes)
  let keys: ChunkedKeys | undefined
  let window: OrderedWindow
  let index = 0

  async function begin(
    controller: TransformStreamDefaultController<Uint8Array>,
  ): Promise<ChunkedKeys> {
    const started = await start()
    window = new OrderedWindow((sealed) => {
      controller.enqueue(sealed)
    })
    controller.enqueue(started.head)
    return started.keys
  }

  return abortableTransform(
    signal,
    async (piece, controller) => {
      keys ??= await begin(controller)
      for (const block of splitter.push(toBytes(piece, 'a piece of a stream'))) {
        const full = window.add(sealChunk(keys, index++, block))
        if (full !== undefined) await full
      }
    },
    async (controller) => {
      keys ??= await begin(controller)
      // W4.14: the final chunk is always there, and always shorter than the others.
      await window.add(sealChunk(keys, index, splitter.rest()))
      await window.drain()
    },
  )
}
