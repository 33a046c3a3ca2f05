import { integer } from '../checks/index.ts'
import type { DataEncryptionKey, EnvelopeForm } from '../data-keys/index.ts'
import type { EncryptionContext } from '../kms/index.ts'
import { encryptTransform, type StreamStart } from './encrypt-stream.ts'
import { MAX_STREAM_BYTES, sealedBytesOf } from './message-size.ts'
import type { CallOptions, EncryptOptions, StartedStream, StartStreamOptions } from './options.ts'
import { checkedMaps, signalOptions } from './call-options.ts'
import { type CipherSettings, formOf } from './settings.ts'

/** Returns a transform that gets its data key with the first bytes. */
export function encryptStream(
  settings: CipherSettings,
  options: EncryptOptions,
): TransformStream<Uint8Array, Uint8Array> {
  const call = writeCall(settings, options)
  return encryptTransform({ signal: options.signal, start: () => startMessage(settings, call) })
}

/** Gets the data key now and returns the transform, with the length of its envelope where that is known. */
export async function startStream(
  settings: CipherSettings,
  { plaintextBytes, ...options }: StartStreamOptions,
): Promise<StartedStream> {
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
    transform: encryptTransform({ signal, plaintextBytes, start: () => started }),
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
): Promise<StreamStart> {
  const durable = form === 'reference'
  const key: DataEncryptionKey = await keys.active(context, { ...options, durable })
  return key.startStream(aad, form)
}
