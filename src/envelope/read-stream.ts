import { recordAad } from '../ciphers/index.ts'
import { checkedMaps, kindsOf, STREAM_KINDS } from './call-options.ts'
import { decryptRange, type RangeReading } from './decrypt-range.ts'
import { decryptTransform } from './decrypt-stream.ts'
import { recordBodyBytes } from './message-size.ts'
import { openKey } from './open-message.ts'
import type { DecryptOptions, MessageOptions } from './options.ts'
import type { DecryptedRange, PlaintextRange, ReadEnvelopeRange } from './range-options.ts'
import { type CipherSettings, readPolicy } from './settings.ts'

/** Returns a transform from a stream message to its plaintext; records too if `kinds` names them. */
export function decryptStream(
  settings: CipherSettings,
  options: DecryptOptions,
): TransformStream<Uint8Array, Uint8Array> {
  const { context, aad } = checkedMaps(options)
  return decryptTransform({
    policy: readPolicy(settings, kindsOf(options.kinds, STREAM_KINDS)),
    maxRecordBodyBytes: recordBodyBytes(settings.maxRecordBytes),
    signal: options.signal,
    open: (head) => openKey(settings, head, context, options),
    openStream: (key, header) => key.openStream(header, aad),
    openRecord: (key, body) => key.decryptRecord(body, recordAad(aad)),
  })
}

/** Decrypts a part of a stream message through range reads. */
export function readRange(
  settings: CipherSettings,
  read: ReadEnvelopeRange,
  range: PlaintextRange,
  options: MessageOptions,
): Promise<DecryptedRange> {
  const { context, aad } = checkedMaps(options)
  const reading: RangeReading = {
    policy: readPolicy(settings, STREAM_KINDS),
    signal: options.signal,
    open: (head) => openKey(settings, head, context, options),
    openStream: (key, header) => key.openStream(header, aad),
  }
  return decryptRange(read, range, reading)
}
