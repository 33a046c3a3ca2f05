import { toBytes } from '../bytes/index.ts'
import { integer, plainOptions } from '../checks/index.ts'
import { CHUNKED, sealChunk } from '../ciphers/index.ts'
import type { DataEncryptionKey, EnvelopeForm } from '../data-keys/index.ts'
import type { EncryptionContext } from '../kms/index.ts'
import { abortableTransform, type Target } from './abortable-transform.ts'
import { checkedMaps, signalOptions } from './call-options.ts'
import { ChunkPipeline } from './chunk-pipeline.ts'
import { MAX_STREAM_BYTES, sealedBytesOf } from './message-size.ts'
import type { CallOptions, EncryptOptions, StartedStream, StartStreamOptions } from './options.ts'
import { type CipherSettings, formOf } from './settings.ts'

/** The keys of a new stream, and everything before its first chunk. */
type StartedKeys = Awaited<ReturnType<DataEncryptionKey['startStream']>>

/** Returns a transform that gets its data key with the first bytes. */
export function encryptStream(
  settings: CipherSettings,
  options: EncryptOptions,
): TransformStream<Uint8Array, Uint8Array> {
  const call = writeCall(settings, options)
  return encryptTransform(() => startMessage(settings, call), options.signal)
}

/** Gets the data key now and returns the transform, with the length of its envelope where that is known. */
export async function startStream(
  settings: CipherSettings,
  given: StartStreamOptions,
): Promise<StartedStream> {
  const { plaintextBytes, ...options } = plainOptions(given)
  const { signal } = options
  if (plaintextBytes !== undefined) integer('plaintextBytes', plaintextBytes, 0, MAX_STREAM_BYTES)
  const call = writeCall(settings, options)
  signal?.throwIfAborted()
  const started = await startMessage(settings, call)
  return {
    envelopeBytes:
      plaintextBytes === undefined
        ? undefined
        : started.head.length + sealedBytesOf(plaintextBytes),
    transform: encryptTransform(() => started, signal, plaintextBytes),
  }
}

/** The options of one call, checked and copied. */
interface WriteCall {
  readonly form: EnvelopeForm
  readonly context: EncryptionContext | undefined
  readonly aad: EncryptionContext | undefined
  readonly options: CallOptions
}

function writeCall(settings: CipherSettings, options: EncryptOptions): WriteCall {
  const form = formOf(options.form ?? settings.form)
  const { context, aad } = checkedMaps(options)
  return { form, context, aad, options: signalOptions(options) }
}

async function startMessage(
  { keys }: CipherSettings,
  { form, context, aad, options }: WriteCall,
): Promise<StartedKeys> {
  const durable = form === 'reference'
  const key = await keys.active(context, { ...options, durable })
  return key.startStream(aad, form)
}

/**
 * Returns a transform from plaintext to a stream message. A transform that is never used starts nothing.
 *
 * @param start - called with the first bytes, or at the end of an empty stream
 * @param plaintextBytes - the length of the plaintext, if the caller announced it: any other errors the stream
 */
function encryptTransform(
  start: () => StartedKeys | Promise<StartedKeys>,
  signal: AbortSignal | undefined,
  plaintextBytes?: number,
): TransformStream<Uint8Array, Uint8Array> {
  let chunks: ChunkPipeline | undefined
  let taken = 0
  const begin = async (to: Target): Promise<ChunkPipeline> => {
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
