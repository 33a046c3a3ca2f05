import { type Bytes, toBytes } from '../bytes/index.ts'
import { recordAad } from '../ciphers/index.ts'
import type { DataEncryptionKey } from '../data-keys/index.ts'
import { KmsError } from '../errors.ts'
import type { EncryptionContext } from '../kms/index.ts'
import { abortableTransform } from './abortable-transform.ts'
import { checkedMaps, kindsOf, STREAM_KINDS } from './call-options.ts'
import { GrowingBuffer } from './growing-buffer.ts'
import { HeadReader } from './head-reader.ts'
import { demandPlaintext, recordBodyBytes } from './message-size.ts'
import { openKey } from './open-message.ts'
import type { DecryptOptions } from './options.ts'
import { type CipherSettings, readPolicy } from './settings.ts'
import { type BodyReader, type Emit, streamBody } from './stream-body.ts'

/**
 * Returns a transform from a stream message to its plaintext; records too if `kinds` names them. It
 * releases nothing before its tag is verified (W4.18).
 */
export function decryptStream(
  settings: CipherSettings,
  options: DecryptOptions,
): TransformStream<Uint8Array, Uint8Array> {
  const { context, aad } = checkedMaps(options)
  const heads = new HeadReader(readPolicy(settings, kindsOf(options.kinds, STREAM_KINDS)))
  let body: BodyReader | undefined
  return abortableTransform(options.signal, {
    async transform(piece, to) {
      const bytes = toBytes(piece, 'a piece of a stream')
      if (body !== undefined) return body.push(bytes)
      const found = heads.push(bytes)
      if (found === undefined) return
      const { head, body: first } = found
      const emit: Emit = (plaintext) => {
        if (plaintext.length > 0) to.enqueue(plaintext)
      }
      demandPlaintext(head.kind)
      const isRecord = head.kind.startsWith('record')
      const mostBytes = recordBodyBytes(settings.maxRecordBytes)
      if (isRecord) demandFits(first.length, mostBytes)
      const key = await openKey(settings, head, context, options)
      body = isRecord
        ? recordBody(first, mostBytes, key, aad, emit)
        : await streamBody(first, key, aad, emit)
    },
    async flush() {
      if (body === undefined) throw heads.end()
      await body.end()
    },
  })
}

/** Holds a record until its tag is verified. */
function recordBody(
  first: Bytes,
  mostBytes: number,
  key: DataEncryptionKey,
  aad: EncryptionContext | undefined,
  emit: Emit,
): BodyReader {
  const held = new GrowingBuffer()
  held.push(first)
  return {
    push(piece): void {
      demandFits(held.length + piece.length, mostBytes)
      held.push(piece)
    },
    async end(): Promise<void> {
      emit(await key.decryptRecord(held.view(), recordAad(aad)))
    },
  }
}

function demandFits(bodyBytes: number, mostBytes: number): void {
  if (bodyBytes > mostBytes) throw new KmsError('ERR_WIRE_LIMIT_EXCEEDED') // above maxRecordBytes
}
