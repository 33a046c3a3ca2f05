import { type Bytes, concatBytes, copyBytes, toBytes } from '../bytes/index.ts'
import { CHUNKED, type ChunkedKeys, openChunk } from '../ciphers/index.ts'
import type { DataEncryptionKey } from '../data-keys/index.ts'
import { KmsError } from '../errors.ts'
import { checkBodyLength, type MessageHead, type ReadPolicy } from '../wire/index.ts'
import { BlockSplitter } from './block-splitter.ts'
import { CHUNKS_IN_FLIGHT } from './encrypt-stream.ts'
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

type Controller = TransformStreamDefaultController<Uint8Array>

/** The body of one kind, as it arrives. */
interface BodyReader {
  push(piece: Bytes, controller: Controller): Promise<void>
  end(controller: Controller): Promise<void>
}

/** A message of an accepted kind to plaintext. Nothing is released before its tag is verified (W4.18). */
export function decryptTransform(reading: StreamReading): TransformStream<Uint8Array, Uint8Array> {
  const heads = new HeadReader(reading.policy)
  let body: BodyReader | undefined
  return new TransformStream<Uint8Array, Uint8Array>({
    async transform(piece, controller): Promise<void> {
      reading.signal?.throwIfAborted()
      let rest = toBytes(piece, 'a piece of a stream')
      if (body === undefined) {
        const found = heads.push(rest)
        if (found === undefined) return
        const key = await reading.open(found.head)
        body = isStream(found.head)
          ? streamBody(reading, key)
          : recordBody(reading, key, found.head)
        rest = found.body
      }
      await body.push(rest, controller)
    },
    async flush(controller): Promise<void> {
      reading.signal?.throwIfAborted()
      if (body === undefined) throw heads.end()
      await body.end(controller)
    },
  })
}

function isStream(head: MessageHead): boolean {
  return head.kind === 'stream' || head.kind === 'stream-by-reference'
}

function streamBody(reading: StreamReading, key: DataEncryptionKey): BodyReader {
  const splitter = new BlockSplitter(CHUNKED.sealedChunkBytes)
  let header: Bytes = new Uint8Array(0)
  let keys: ChunkedKeys | undefined
  let window: OrderedWindow<Bytes> | undefined
  let index = 0
  return {
    async push(piece, controller): Promise<void> {
      let rest = piece
      window ??= new OrderedWindow(CHUNKS_IN_FLIGHT, (plaintext) => {
        if (plaintext.length > 0) controller.enqueue(plaintext)
      })
      if (keys === undefined) {
        const missing = CHUNKED.headerBytes - header.length
        header = concatBytes(header, rest.subarray(0, missing))
        rest = rest.subarray(missing)
        if (header.length < CHUNKED.headerBytes) return
        keys = await reading.openStream(key, header)
      }
      for (const sealed of splitter.push(rest)) await window.add(openChunk(keys, index++, sealed))
    },
    async end(): Promise<void> {
      await window?.drain()
      const last = splitter.rest()
      // W4.16: without a final chunk the message was cut, and that looks like a wrong tag.
      if (keys === undefined || window === undefined || last.length < CHUNKED.tagBytes) {
        throw new KmsError('ERR_DECRYPT_FAILED')
      }
      await window.add(openChunk(keys, index, last))
      await window.drain()
    },
  }
}

function recordBody(reading: StreamReading, key: DataEncryptionKey, head: MessageHead): BodyReader {
  const pieces: Bytes[] = []
  let held = 0
  return {
    push(piece): Promise<void> {
      held += piece.length
      if (held > reading.maxRecordBodyBytes) {
        const message = 'the record is larger than maxRecordBytes'
        return Promise.reject(new KmsError('ERR_WIRE_LIMIT_EXCEEDED', { message }))
      }
      pieces.push(copyBytes(piece))
      return Promise.resolve()
    },
    async end(controller): Promise<void> {
      checkBodyLength(head.kind, held)
      const plaintext = await reading.openRecord(key, concatBytes(...pieces))
      if (plaintext.length > 0) controller.enqueue(plaintext)
    },
  }
}

/** The body of a stream message that is in memory. */
export async function decryptStreamBody(
  body: Bytes,
  openStream: (header: Bytes) => Promise<ChunkedKeys>,
): Promise<Bytes> {
  const keys = await openStream(body.subarray(0, CHUNKED.headerBytes))
  const parts: Bytes[] = []
  const window = new OrderedWindow<Bytes>(CHUNKS_IN_FLIGHT, (part) => parts.push(part))
  let index = 0
  let at: number = CHUNKED.headerBytes
  for (; body.length - at >= CHUNKED.sealedChunkBytes; at += CHUNKED.sealedChunkBytes) {
    await window.add(openChunk(keys, index++, body.subarray(at, at + CHUNKED.sealedChunkBytes)))
  }
  if (body.length - at < CHUNKED.tagBytes) throw new KmsError('ERR_DECRYPT_FAILED') // W4.16
  await window.add(openChunk(keys, index, body.subarray(at)))
  await window.drain()
  return concatBytes(...parts)
}
