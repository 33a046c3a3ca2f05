import { type Bytes, concatBytes } from '../bytes/index.ts'
import { CHUNKED, openChunk } from '../ciphers/index.ts'
import type { DataEncryptionKey } from '../data-keys/index.ts'
import { KmsError } from '../errors.ts'
import type { EncryptionContext } from '../kms/index.ts'
import { ChunkPipeline } from './chunk-pipeline.ts'

/** The body of one message, as it arrives. */
export interface BodyReader {
  push(piece: Bytes): void | Promise<void>
  end(): Promise<void>
}

/** Takes plaintext whose tag was verified. */
export type Emit = (plaintext: Bytes) => void

/**
 * Returns the reader of a stream's body.
 *
 * @param first - the first bytes of the body, which hold all of its header
 */
export async function streamBody(
  first: Bytes,
  key: DataEncryptionKey,
  aad: EncryptionContext | undefined,
  emit: Emit,
): Promise<BodyReader> {
  const opened = await key.openStream(first.subarray(0, CHUNKED.headerBytes), aad)
  const chunks = new ChunkPipeline(openChunk, CHUNKED.sealedChunkBytes, opened, emit)
  await chunks.push(first.subarray(CHUNKED.headerBytes))
  return {
    push: (piece) => chunks.push(piece),
    async end(): Promise<void> {
      if (chunks.restBytes >= CHUNKED.tagBytes) return chunks.end()
      await chunks.drain()
      // W4.16: without a final chunk the message was cut, and that looks like a wrong tag.
      throw new KmsError('ERR_DECRYPT_FAILED')
    },
  }
}

/** Returns the plaintext of a stream's body that is in memory. */
export async function decryptStreamBody(
  body: Bytes,
  key: DataEncryptionKey,
  aad: EncryptionContext | undefined,
): Promise<Bytes> {
  const parts: Bytes[] = []
  const reader = await streamBody(body, key, aad, (part) => parts.push(part))
  await reader.end()
  return concatBytes(...parts)
}
