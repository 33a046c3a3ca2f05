import { type Bytes, concatBytes, copyBytes, toBytes } from '../bytes/index.ts'
import { CHUNKED, type ChunkedKeys, openChunk } from '../ciphers/index.ts'
import type { DataEncryptionKey } from '../data-keys/index.ts'
import { KmsError } from '../errors.ts'
import { checkBodyLength, type MessageHead, type ReadPolicy } from '../wire/index.ts'
import { abortableTransform } from './abortable-transform.ts'
import { BlockSplitter } from './block-splitter.ts'
import { HeadReader } from './head-reader.ts'
import { OrderedWindow } from './ordered-window.ts'

/** What a stream is decrypted with. */
export interface StreamReading {
  readonly policy: ReadPolicy
  /** The longest body of a record, which is held until its tag is verified. */
  readonly maxRecordBodyBytes: number
  readonly signal?: AbortSignal | undefined
  open(head: MessageHead): Promise<DataEncryptionKey>
  openStream(key: DataEncryptionKey, header: Bytes): Promise<ChunkedKeys>
  openRecord(key: DataEncryptionKey, body: Bytes): Promise<Bytes>
}

/** The body of one kind, as it arrives. */
interface BodyReader {
  push(piece: Bytes): Promise<void>
  end(): Promise<void>
}

type Emit = (plaintext: Bytes) => void

/** A message of an accepted kind to plaintext. Nothing is released before its tag is verified (W4.18). */
export function decryptTransform(reading: StreamReading): TransformStream<Uint8Array, Uint8Array> {
  const heads = new HeadReader(reading.policy)
  let body: BodyReader | undefined
  return abortableTransform(
    reading.signal,
    async (piece, controller) => {
      let rest = toBytes(piece, 'a piece of a stream')
      if (body === undefined) {
        const found = heads.push(rest)
        if (found === undefined) return
        const key = await reading.open(found.head)
        const emit: Emit = (plaintext) => {
          if (plaintext.length > 0) controller.enqueue(plaintext)
        }
        body = found.head.kind.startsWith('stream')
          ? streamBody((header) => reading.openStream(key, header), emit)
          : recordBody(reading, key, found.head, emit)
        rest = found.body
      }
      await body.push(rest)
    },
    async () => {
      if (body === undefined) throw heads.end()
      await body.end()
    },
  )
}

/** The body of a stream message that is in memory. */
export async function decryptStreamBody(
  body: Bytes,
  openStream: (header: Bytes) => Promise<ChunkedKeys>,
): Promise<Bytes> {
  const parts: Bytes[] = []
  const reader = streamBody(openStream, (part) => parts.push(part))
  await reader.push(body)
  await reader.end()
  return concatBytes(...parts)
}

function streamBody(openStream: (header: Bytes) => Promise<ChunkedKeys>, emit: Emit): BodyReader {
  const splitter = new BlockSplitter(CHUNKED.sealedChunkBytes)
  const window = new OrderedWindow(emit)
  let header: Bytes = new Uint8Array(0)
  let keys: ChunkedKeys | undefined
  let index = 0
  return {
    async push(piece): Promise<void> {
      let rest = piece
      if (keys === undefined) {
        const missing = CHUNKED.headerBytes - header.length
        header = concatBytes(header, rest.subarray(0, missing))
        rest = rest.subarray(missing)
        if (header.length < CHUNKED.headerBytes) return
        keys = await openStream(header)
      }
      for (const sealed of splitter.push(rest)) {
        const full = window.add(openChunk(keys, index++, sealed))
        if (full !== undefined) await full
      }
    },
    async end(): Promise<void> {
      const last = splitter.rest()
      if (keys !== undefined && last.length >= CHUNKED.tagBytes) {
        await window.add(openChunk(keys, index, last))
        await window.drain()
        return
      }
      await window.drain()
      // W4.16: without a final chunk the message was cut, and that looks like a wrong tag.
      throw new KmsError('ERR_DECRYPT_FAILED')
    },
  }
}

function recordBody(
  reading: StreamReading,
  key: DataEncryptionKey,
  head: MessageHead,
  emit: Emit,
): BodyReader {
  const pieces: Bytes[] = []
  let held = 0
  return {
    push(piece): Promise<void> {
      held += piece.length
      if (held > reading.maxRecordBodyBytes) {
        return Promise.reject(new KmsError('ERR_WIRE_LIMIT_EXCEEDED')) // more than maxRecordBytes
      }
      pieces.push(copyBytes(piece))
      return Promise.resolve()
    },
    async end(): Promise<void> {
      checkBodyLength(head.kind, held)
      emit(await reading.openRecord(key, concatBytes(...pieces)))
    },
  }
}
