/** A stream beside the AWS Encryption SDK's, and beside raw `crypto.subtle` with eight chunks in flight. */
import type { Bytes } from '../../src/bytes/index.ts'
import { newAesKey, newCipher, newOptions, pattern } from '../fixtures.ts'
import { FLOOR, OURS, type Work } from './records.ts'

const CHUNK = 16_384
const PIECE = 65_536
const IN_FLIGHT = 8

interface Sdk {
  readonly stream: (totalBytes: number, piece: Bytes) => Work
}

/** Returns the sides that encrypt a stream, each as one turn. */
export async function streamSides(
  totalBytes: number,
  sdkModule: string | undefined,
): Promise<ReadonlyMap<string, Work>> {
  const sides = new Map<string, Work>([
    [FLOOR, await windowed(totalBytes)],
    [OURS, oursOf(totalBytes)],
  ])
  if (sdkModule !== undefined) {
    const { streamPeers } = (await import(sdkModule)) as {
      streamPeers: () => Promise<Record<string, Sdk>>
    }
    for (const [name, { stream }] of Object.entries(await streamPeers()))
      sides.set(name, stream(totalBytes, pattern(PIECE)))
  }
  return sides
}

/** Returns one side alone, for its memory. */
export async function streamOf(
  name: string,
  totalBytes: number,
  sdkModule: string | undefined,
): Promise<Work> {
  const side = (await streamSides(totalBytes, sdkModule)).get(name)
  if (side === undefined) throw new Error(`unknown side: ${name}`)
  return side
}

async function windowed(totalBytes: number): Promise<Work> {
  const key = await newAesKey()
  const chunk = pattern(CHUNK)
  const iv = pattern(12)
  const seal = (): Promise<ArrayBuffer> =>
    crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(iv), tagLength: 128 }, key, chunk)
  return async () => {
    const inFlight: Promise<ArrayBuffer>[] = []
    for (let i = 0; i < totalBytes / CHUNK; i++) {
      inFlight.push(seal())
      if (inFlight.length >= IN_FLIGHT) await inFlight.shift()
    }
    await Promise.all(inFlight)
  }
}

function oursOf(totalBytes: number): Work {
  const cipher = newCipher()
  const piece = pattern(PIECE)
  return () => {
    let left = totalBytes
    const source = new ReadableStream<Uint8Array>({
      pull(controller): void {
        if (left === 0) {
          controller.close()
          return
        }
        controller.enqueue(piece)
        left -= PIECE
      },
    })
    return source.pipeThrough(cipher.encryptStream(newOptions())).pipeTo(new WritableStream())
  }
}
