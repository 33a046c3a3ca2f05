import { type Bytes, concatBytes, toBytes } from '../bytes/index.ts'
import { CHUNKED, openChunk } from '../ciphers/index.ts'
import type { DataEncryptionKey } from '../data-keys/index.ts'
import { KmsError } from '../errors.ts'
import type { MessageHead, ReadPolicy } from '../wire/index.ts'
import { abortableTransform } from './abortable-transform.ts'
import type { StreamKeys } from '../data-keys/index.ts'
import { ChunkPipeline } from './chunk-pipeline.ts'
import { GrowingBuffer } from './growing-buffer.ts'
import { HeadReader } from './head-reader.ts'
import { demandPlaintext } from './message-size.ts'

/** What the body of a stream is opened with. */
export interface StreamOpening {
  readonly openStream: (key: DataEncryptionKey, header: Bytes) => Promise<StreamKeys>
}

/** What {@link decryptTransform} needs. */
export interface StreamReading extends StreamOpening {
  readonly policy: ReadPolicy
  /** The longest body of a record, which is held until its tag is verified. */
  readonly maxRecordBodyBytes: number
  readonly signal?: AbortSignal | undefined
  readonly open: (head: MessageHead) => Promise<DataEncryptionKey>
  readonly openRecord: (key: DataEncryptionKey, body: Bytes) => Promise<Bytes>
}

/** The body of one kind, as it arrives. */
interface BodyReader {
  push(piece: Bytes): void | Promise<void>
  end(): Promise<void>
}

type Emit = (plaintext: Bytes) => void

/** Returns a transform from a message to its plaintext. It releases nothing before its tag is verified (W4.18). */
export function decryptTransform(reading: StreamReading): TransformStream<Uint8Array, Uint8Array> {
  const heads = new HeadReader(reading.policy)
  let body: BodyReader | undefined
  return abortableTransform(reading.signal, {
    async transform(piece, to) {
      const bytes = toBytes(piece, 'a piece of a stream')
      if (body !== undefined) {
        await body.push(bytes)
        return
      }
      const found = heads.push(bytes)
      if (found === undefined) return
      const emit: Emit = (plaintext) => {
        if (plaintext.length > 0) to.enqueue(plaintext)
      }
      demandPlaintext(found.head.kind)
      const isStream = found.head.kind.startsWith('stream')
      if (!isStream) demandRecordFits(found.body.length, reading)
      const key = await reading.open(found.head)
      body = isStream
        ? await streamBody(found.body, (header) => reading.openStream(key, header), emit)
        : recordBody(found.body, reading, key, emit)
    },
    async flush() {
      if (body === undefined) throw heads.end()
      await body.end()
    },
  })
}

/** Returns the plaintext of a stream body that is in memory. */
export async function decryptStreamBody(
  body: Bytes,
  openStream: (header: Bytes) => Promise<StreamKeys>,
): Promise<Bytes> {
  const parts: Bytes[] = []
  const reader = await streamBody(body, openStream, (part) => parts.push(part))
  await reader.end()
  return concatBytes(...parts)
}

/** @param first - the first bytes of the body, which hold all of its header */
async function streamBody(
  first: Bytes,
  openStream: (header: Bytes) => Promise<StreamKeys>,
  emit: Emit,
): Promise<BodyReader> {
  const opened = await openStream(first.subarray(0, CHUNKED.headerBytes))
  const chunks = new ChunkPipeline(openChunk, CHUNKED.sealedChunkBytes, opened, emit)
  await chunks.push(first.subarray(CHUNKED.headerBytes))
  return {
    push: (piece) => chunks.push(piece),
    async end(): Promise<void> {
      if (chunks.restBytes >= CHUNKED.tagBytes) {
        await chunks.end()
        return
      }
      await chunks.drain()
      // W4.16: without a final chunk the message was cut, and that looks like a wrong tag.
      throw new KmsError('ERR_DECRYPT_FAILED')
    },
  }
}

function recordBody(
  first: Bytes,
  reading: StreamReading,
  key: DataEncryptionKey,
  emit: Emit,
): BodyReader {
  const held = new GrowingBuffer()
  held.push(first)
  return {
    push(piece): void {
      demandRecordFits(held.length + piece.length, reading)
      held.push(piece)
    },
    async end(): Promise<void> {
      emit(await reading.openRecord(key, held.view()))
    },
  }
}

function demandRecordFits(bodyBytes: number, { maxRecordBodyBytes }: StreamReading): void {
  if (bodyBytes > maxRecordBodyBytes) throw new KmsError('ERR_WIRE_LIMIT_EXCEEDED') // above maxRecordBytes
}
