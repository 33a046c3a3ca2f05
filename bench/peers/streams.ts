/** A stream beside the AWS Encryption SDK's, and beside raw `crypto.subtle` with eight chunks in flight. */
import type { Bytes } from '../../src/bytes/index.ts'
import { newAesKey, newCipher, newOptions, pattern } from '../fixtures.ts'
import { inWindow, plain } from '../streams.ts'
import { FLOOR, OURS, type Work } from './records.ts'

const CHUNK = 16_384
const PIECE = 65_536

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
  return () => inWindow(totalBytes / CHUNK, seal)
}

function oursOf(totalBytes: number): Work {
  const cipher = newCipher()
  return () =>
    plain(totalBytes).pipeThrough(cipher.encryptStream(newOptions())).pipeTo(new WritableStream())
}
