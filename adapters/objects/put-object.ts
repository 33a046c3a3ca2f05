import { checkCondition, checkPutOptions } from './call-options.ts'
import { bindMetadata, checkMetadata, checkStoredBytes, toStored } from './metadata.ts'
import { factsOf } from './object-facts.ts'
import { checkObjectKey } from './object-key.ts'
import type { PutObject, PutObjectOptions } from './object-types.ts'
import { type ObjectValue, valueStream } from './object-value.ts'
import type { BucketSettings } from './options.ts'
import { PieceSource } from './piece-source.ts'
import { writeEnvelope } from './write-envelope.ts'

/** Encrypts a value and writes it. */
export async function putObject(
  settings: BucketSettings,
  key: string,
  value: ObjectValue,
  options: PutObjectOptions,
): Promise<PutObject> {
  const { store, cipher, contextOf, aadOf, form } = settings
  checkObjectKey(key)
  checkPutOptions(options)
  const { signal, defer, customMetadata = {} } = options
  const custom = checkMetadata(customMetadata)
  const onlyIf = checkCondition(options.onlyIf)
  const { stream, plaintextBytes } = valueStream(value, options.plaintextBytes)
  try {
    const metadata = { custom, plaintextBytes }
    const stored = toStored(metadata)
    checkStoredBytes(stored)
    const started = await cipher.startStream({
      context: contextOf(key),
      aad: bindMetadata(aadOf(key), metadata),
      plaintextBytes,
      ...(form !== undefined && { form }),
      ...{ signal, defer },
    })
    const pieces = new PieceSource(stream.pipeThrough(started.transform))
    const write = { key, metadata: stored, onlyIf, signal }
    try {
      const written = await writeEnvelope(store, write, pieces, started.envelopeBytes, settings)
      return { ...factsOf(key, written), size: plaintextBytes, customMetadata: custom }
    } catch (error) {
      pieces.cancel(error)
      throw error
    }
  } catch (error) {
    if (!stream.locked) void stream.cancel(error).catch(() => undefined)
    throw error
  }
}
