import type { Bytes } from '../src/bytes/index.ts'
import type { EnvelopeCipher } from '../src/index.ts'
import { newAesKey, newCipher, newOptions, pattern } from './fixtures.ts'
import type { BenchCase } from './suite.ts'

const CHUNK = 16_384
const PIECE = 65_536
const IN_FLIGHT = 8
/** The floor's calls inside the plainest transform: what streams cost before any of our code. */
const BARE = 'bare transform'
/** The same pieces through a transform that does nothing: what is left when nobody encrypts. */
const IDLE = 'streams alone'

/** One turn is one whole stream. The sealed message is made by the first turn that needs it. */
export async function streamCases(totalBytes: number): Promise<readonly BenchCase[]> {
  const cipher = newCipher()
  const key = await newAesKey()
  const iv = pattern(12)
  const algorithm = { name: 'AES-GCM', iv, tagLength: 128 }
  const chunk = pattern(CHUNK)
  const sealedChunk = await crypto.subtle.encrypt(algorithm, key, chunk)
  // A nonce and an algorithm object for each chunk, as any chunked format needs.
  const fresh = (): AesGcmParams => ({ name: 'AES-GCM', iv: new Uint8Array(iv), tagLength: 128 })
  const seal = (): Promise<ArrayBuffer> => crypto.subtle.encrypt(fresh(), key, chunk)
  const count = totalBytes / CHUNK
  // As many different chunks as a message has: one that stays in the CPU's cache would be faster.
  let sealedChunks: readonly ArrayBuffer[] = []
  let next = 0
  const open = (): Promise<ArrayBuffer> => {
    if (sealedChunks.length === 0)
      sealedChunks = Array.from({ length: count }, () => sealedChunk.slice(0))
    return crypto.subtle.decrypt(fresh(), key, sealedChunks[next++ % count])
  }
  let sealed: Promise<readonly Bytes[]> | undefined
  const common = { operations: 1, bytes: totalBytes, rounds: 9, gate: { least: 0.8 } }
  return [
    {
      ...common,
      name: 'encryptStream',
      sides: {
        floor: () => inWindow(count, seal),
        ours: () => discard(plain(totalBytes).pipeThrough(cipher.encryptStream(newOptions()))),
        [BARE]: () => discard(plain(totalBytes).pipeThrough(bareTransform(CHUNK, seal))),
        [IDLE]: () => discard(plain(totalBytes).pipeThrough(new TransformStream())),
      },
    },
    {
      ...common,
      name: 'decryptStream',
      sides: {
        floor: () => inWindow(count, open),
        ours: async () => {
          sealed ??= sealAll(cipher, totalBytes)
          const transform = cipher.decryptStream(newOptions())
          const bytes = await discard(replay(await sealed).pipeThrough(transform))
          if (bytes !== totalBytes) throw new Error('the stream lost bytes')
        },
        [BARE]: async () => {
          sealed ??= sealAll(cipher, totalBytes)
          const transform = bareTransform(CHUNK + 16, open)
          await discard(replay(await sealed).pipeThrough(transform))
        },
        [IDLE]: async () => {
          sealed ??= sealAll(cipher, totalBytes)
          await discard(replay(await sealed).pipeThrough(new TransformStream()))
        },
      },
    },
  ]
}

/** Runs one stream for the memory figures: only the transforms hold data. */
export async function streamOnce(mode: string, totalBytes: number): Promise<void> {
  const cipher = newCipher()
  const sealed = plain(totalBytes).pipeThrough(cipher.encryptStream(newOptions()))
  if (mode === 'encrypt') await discard(sealed)
  else await discard(sealed.pipeThrough(cipher.decryptStream(newOptions())))
}

/** Returns a source of so many bytes, in pieces of 64 KiB. */
export function plain(totalBytes: number): ReadableStream<Uint8Array> {
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
      if (next === pieces.length) controller.close()
      else controller.enqueue(pieces[next++])
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
      for (let at = 0; at < part.length;) {
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
  await plain(totalBytes).pipeThrough(cipher.encryptStream(newOptions())).pipeTo(collect)
  pieces.push(piece.subarray(0, held))
  return pieces
}

/** Makes so many calls, eight in flight. */
export async function inWindow(count: number, work: () => Promise<ArrayBuffer>): Promise<void> {
  const inFlight: Promise<ArrayBuffer>[] = []
  for (let i = 0; i < count; i++) {
    inFlight.push(work())
    if (inFlight.length >= IN_FLIGHT) await inFlight.shift()
  }
  await Promise.all(inFlight)
}

/** Counts off blocks and seals one for each, eight in flight; what it is given it does not look at. */
function bareTransform(
  blockBytes: number,
  work: () => Promise<ArrayBuffer>,
): TransformStream<Uint8Array, Uint8Array> {
  const inFlight: Promise<ArrayBuffer>[] = []
  let held = 0
  return new TransformStream<Uint8Array, Uint8Array>({
    async transform(piece, controller): Promise<void> {
      for (held += piece.length; held >= blockBytes; held -= blockBytes) {
        inFlight.push(work())
        if (inFlight.length < IN_FLIGHT) continue
        controller.enqueue(new Uint8Array((await inFlight.shift()) as ArrayBuffer))
      }
    },
    async flush(controller): Promise<void> {
      for (const done of inFlight) controller.enqueue(new Uint8Array(await done))
    },
  })
}
