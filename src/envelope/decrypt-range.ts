import { concatBytes } from '../bytes/index.ts'
import { CHUNKED } from '../ciphers/index.ts'
import type { DataEncryptionKey } from '../data-keys/index.ts'
import { KmsError } from '../errors.ts'
import type { MessageHead, ReadPolicy } from '../wire/index.ts'
import { ChunkRun } from './chunk-run.ts'
import type { StreamOpening } from './decrypt-stream.ts'
import { plaintextBytesOf } from './message-size.ts'
import {
  checkRange,
  type DecryptedRange,
  type PlaintextRange,
  type ReadEnvelopeRange,
} from './range-options.ts'
import { rangeSource, readHead } from './range-source.ts'

/** What {@link decryptRange} needs. */
export interface RangeReading extends StreamOpening {
  readonly policy: ReadPolicy
  readonly signal?: AbortSignal | undefined
  readonly open: (head: MessageHead) => Promise<DataEncryptionKey>
}

/** Decrypts a part of a stream message. Both commitments are checked first (W4.19). */
export async function decryptRange(
  read: ReadEnvelopeRange,
  range: PlaintextRange,
  reading: RangeReading,
): Promise<DecryptedRange> {
  checkRange(range)
  const source = rangeSource(read, reading.signal)
  const { head, body } = await readHead(source, reading.policy)
  const { start, end, size } = range
  // W4.16: a size that contradicts the chunks is a truncation, and nobody is asked about it.
  const length = size === undefined ? undefined : plaintextBytesOf(head.kind, size - head.bodyAt)
  const key = await reading.open(head)
  const opened = await reading.openStream(key, body.subarray(0, CHUNKED.headerBytes))
  const chunks = new ChunkRun(source, opened, head.bodyAt + CHUNKED.headerBytes)
  const found =
    length === undefined
      ? await slice(chunks, start, end)
      : await verifiedSlice(chunks, start, end, length)
  opened.demandCurrent()
  return found
}

/** @param length - what the caller says: the final chunk proves it, or the call fails */
async function verifiedSlice(
  chunks: ChunkRun,
  start: number,
  end: number | undefined,
  length: number,
): Promise<DecryptedRange> {
  const until = Math.min(end ?? length, length)
  const from = start < 0 ? Math.max(0, length + start) : Math.min(start, until)
  const found = await slice(chunks, from, until)
  const final = Math.floor(length / CHUNKED.chunkBytes)
  const proven = found.length ?? (await chunks.open(final, final)).length
  if (proven !== length) throw new KmsError('ERR_DECRYPT_FAILED') // W4.16
  return { ...found, lengthVerified: true, length }
}

async function slice(
  chunks: ChunkRun,
  start: number,
  end: number | undefined,
): Promise<DecryptedRange> {
  const first = Math.floor(start / CHUNKED.chunkBytes)
  // At least one chunk: an empty range may lie past the end, too.
  const last = end === undefined ? end : Math.max(first, Math.floor((end - 1) / CHUNKED.chunkBytes))
  const opened = await chunks.open(first, last, end)
  const length = opened.parts.length === 0 ? await chunks.findEnd(first) : opened.length
  const whole = concatBytes(...opened.parts)
  const base = first * CHUNKED.chunkBytes
  const until = Math.min(end ?? Infinity, length ?? base + whole.length)
  const from = Math.min(start, until)
  const plaintext = whole.slice(from - base, until - base)
  const lengthVerified = length !== undefined // W4.21
  const found = { plaintext, start: from, end: until, lengthVerified }
  return length === undefined ? found : { ...found, length }
}
