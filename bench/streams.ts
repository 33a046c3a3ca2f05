import type { Bytes } from '../src/bytes/index.ts'
import type { EnvelopeCipher } from '../src/index.ts'
import { newAesKey, newCipher, options, pattern } from './fixtures.ts'
import type { BenchCase } from './suite.ts'

const CHUNK = 16_384
const PIECE = 65_536
const IN_FLIGHT = 8

/** One turn is one whole stream. The sealed message is made by the first turn that needs it. */
export async function streamCases(totalBytes: number): Promise<readonly BenchCase[]> {
  const cipher = newCipher()
  const key = await newAesKey()
  const iv = pattern(12)
  const algorithm = { name: 'AES-GCM', iv, tagLength: 128 }
  const chunk = pattern(CHUNK)
  const sealedChunk = new Uint8Array(await crypto.subtle.encrypt(algorithm, key, chunk))
  // A nonce and an algorithm object for each chunk, as any chunked format needs.
  const fresh = (): AesGcmParams => ({ name: 'AES-GCM', iv: new Uint8Array(iv), tagLength: 128 })
  const windowed = (work: () => Promise<ArrayBuffer>) => () => inWindow(totalBytes / CHUNK, work)
  let sealed: Promise<readonly Bytes[]> | undefined
  const common = { operations: 1, bytes: totalBytes, rounds: 9, gate: { least: 0.8 } }
  return [
    {
      ...common,
      name: 'encryptStream',
      ours: () => discard(plain(totalBytes).pipeThrough(cipher.encryptStream(options))),
      floor: windowed(() => crypto.subtle.encrypt(fresh(), key, chunk)),
    },
    {
      ...common,
      name: 'decryptStream',
      ours: async () => {
        sealed ??= sealAll(cipher, totalBytes)
        const bytes = await discard(
          replay(await sealed).pipeThrough(cipher.decryptStream(options)),
        )
        if (bytes !== totalBytes) throw new Error('the stream lost bytes')
      },
      floor: windowed(() => crypto.subtle.decrypt(fresh(), key, sealedChunk)),
    },
  ]
}

/** What the memory run does: nothing is held but what the transforms hold. */
export async function streamOnce(mode: string, totalBytes: number): Promise<void> {
  const cipher = newCipher()
  const sealed = plain(totalBytes).pipeThrough(cipher.encryptStream(options))
  if (mode === 'encrypt') await discard(sealed)
  else await discard(sealed.pipeThrough(cipher.decryptStream(options)))
}

function plain(totalBytes: number): ReadableStream<Uint8Array> {
  const piece = pattern(PIECE)
  let left = totalBytes
  return new ReadableStream<Uint8Array>({
    pull(controller): void {
      if (left === 0) {
        controller.close()
        return
      }
      controller.enqueue(piece)
      left -= PIECE
    },
  })
}

function replay(pieces: readonly Bytes[]): ReadableStream<Uint8Array> {
  let next = 0
  return new ReadableStream<Uint8Array>({
    pull(controller): void {
      const piece = pieces[next++]
      if (piece === undefined) controller.close()
      else controller.enqueue(piece)
    },
  })
}

async function discard(stream: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0
  await stream.pipeTo(
    new WritableStream<Uint8Array>({
      write(piece): void {
        bytes += piece.length
      },
    }),
  )
  return bytes
}

/** A sealed stream in pieces of 64 KiB, which no chunk border falls together with. */
async function sealAll(cipher: EnvelopeCipher, totalBytes: number): Promise<readonly Bytes[]> {
  const pieces: Bytes[] = []
  let piece = new Uint8Array(PIECE)
  let held = 0
  const collect = new WritableStream<Uint8Array>({
    write(part): void {
      for (let at = 0; at < part.length; ) {
        const taken = part.subarray(at, at + PIECE - held)
        piece.set(taken, held)
        held += taken.length
        at += taken.length
        if (held < PIECE) continue
        pieces.push(piece)
        piece = new Uint8Array(PIECE)
        held = 0
      }
    },
  })
  await plain(totalBytes).pipeThrough(cipher.encryptStream(options)).pipeTo(collect)
  pieces.push(piece.subarray(0, held))
  return pieces
}

async function inWindow(count: number, work: () => Promise<ArrayBuffer>): Promise<void> {
  const inFlight: Promise<ArrayBuffer>[] = []
  for (let i = 0; i < count; i++) {
    inFlight.push(work())
    if (inFlight.length >= IN_FLIGHT) await inFlight.shift()
  }
  await Promise.all(inFlight)
}
