import { concatBytes } from '../bytes/index.ts'
import { integer, wrongOption } from '../checks/index.ts'
import { CHUNKED } from '../ciphers/index.ts'
import { KmsError } from '../errors.ts'
import { checkedMaps, RANGE_OPTIONS, signalOptions, STREAM_KINDS } from './call-options.ts'
import { ChunkRun } from './chunk-run.ts'
import { plaintextBytesOf } from './message-size.ts'
import { openKey } from './open-message.ts'
import {
  checkRange,
  type DecryptedRange,
  type DecryptRangeOptions,
  type PlaintextRange,
  type ReadEnvelopeRange,
} from './range-options.ts'
import { rangeSource, readHead } from './range-source.ts'
import { type CipherSettings, readPolicy } from './settings.ts'

/** Decrypts a part of a stream message through range reads. Both commitments are checked first (W4.19). */
export async function decryptRange(
  settings: CipherSettings,
  read: ReadEnvelopeRange,
  range: PlaintextRange,
  options: DecryptRangeOptions,
): Promise<DecryptedRange> {
  const { context, aad } = checkedMaps(options, RANGE_OPTIONS)
  const { signal, readTimeoutMs = 30_000 } = options
  const timeoutMs = integer('readTimeoutMs', readTimeoutMs, 1, 900_000)
  if (typeof read !== 'function') throw wrongOption('read', 'a function', read)
  const { start, end, size } = checkRange(range)
  const call = signalOptions(options)
  const source = rangeSource(read, { timeoutMs, signal, network: settings.network })
  const { head, body } = await readHead(source, readPolicy(settings, STREAM_KINDS))
  // W4.16: a size that contradicts the chunks is a truncation, and nobody is asked about it.
  const length = size === undefined ? undefined : plaintextBytesOf(head.kind, size - head.bodyAt)
  const key = await openKey(settings, head, context, call)
  const opened = await key.openStream(body.subarray(0, CHUNKED.headerBytes), aad)
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
