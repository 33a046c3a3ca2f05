import { type Bytes, toBytes } from '../bytes/index.ts'
import { CHUNKED, sealChunk } from '../ciphers/index.ts'
import { abortableTransform } from './abortable-transform.ts'
import type { StreamKeys } from '../data-keys/index.ts'
import { ChunkPipeline } from './chunk-pipeline.ts'

/** What a stream is encrypted with. */
export interface StreamStart extends StreamKeys {
  /** Everything before the first chunk. */
  readonly head: Bytes
}

/** What {@link encryptTransform} needs. */
export interface StreamWriting {
  /** Called with the first bytes, or at the end of an empty stream. */
  readonly start: () => StreamStart | Promise<StreamStart>
  readonly signal?: AbortSignal | undefined
  /** The length of the plaintext, if the caller announced it: any other length errors the stream. */
  readonly plaintextBytes?: number | undefined
}

/** Returns a transform from plaintext to a stream message. A transform that is never used starts nothing. */
export function encryptTransform({
  start,
  signal,
  plaintextBytes,
}: StreamWriting): TransformStream<Uint8Array, Uint8Array> {
  let chunks: ChunkPipeline | undefined
  let taken = 0
  const begin = async (
    to: TransformStreamDefaultController<Uint8Array>,
  ): Promise<ChunkPipeline> => {
    const started = await start()
    started.demandCurrent()
    to.enqueue(started.head)
    return new ChunkPipeline(sealChunk, CHUNKED.chunkBytes, started, (sealed) => {
      to.enqueue(sealed)
    })
  }
  return abortableTransform(signal, {
    async transform(piece, to) {
      const bytes = toBytes(piece, 'a piece of a stream')
      taken += bytes.length
      if (plaintextBytes !== undefined && taken > plaintextBytes) {
        throw wrongLength(plaintextBytes, `at least ${String(taken)}`)
      }
      chunks ??= await begin(to)
      await chunks.push(bytes)
    },
    async flush(to) {
      if (plaintextBytes !== undefined && taken < plaintextBytes) {
        throw wrongLength(plaintextBytes, String(taken))
      }
      chunks ??= await begin(to)
      await chunks.end() // W4.14: the final chunk is always there, and always shorter than the others
    },
  })
}

function wrongLength(announced: number, got: string): RangeError {
  return new RangeError(`plaintextBytes said ${String(announced)} bytes, the stream has ${got}`)
}
