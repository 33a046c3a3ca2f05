import type { EncryptedBucket } from '../../../adapters/objects/index.ts'
import { bucketOf, demand, demandBytes, MIB, type ObjectWorld } from './world.ts'

/** Each block begins with its own number, so that no two are equal. */
const BLOCK = 4_096
const PIECE = 16 * BLOCK
const RANGES = 100
const SEED = 20_261_130

/** How long the steps took, milliseconds. */
export interface LargeResult {
  readonly putMs: number
  readonly getMs: number
  readonly rangesMs: number
}

/** Puts so many MiB, reads them back whole and by 100 ranges, and compares every byte. */
export async function largeRoundTrip(
  world: Pick<ObjectWorld, 'store'>,
  mib: number,
  lengthIsKnown: boolean,
): Promise<LargeResult> {
  const bucket = bucketOf(world, { partBytes: 8 * MIB })
  const key = `large/${String(mib)}`
  const size = mib * MIB + 777
  const started = Date.now()
  const known = lengthIsKnown ? { plaintextBytes: size } : {}
  await bucket.put(key, sourceOf(size), known)
  const put = Date.now()
  await readWhole(bucket, key, size)
  const got = Date.now()
  await readRanges(bucket, key, size)
  return { putMs: put - started, getMs: got - put, rangesMs: Date.now() - got }
}

/** Returns the bytes from `at` to `end`. */
function bytesOf(at: number, end: number): Uint8Array {
  const first = Math.floor(at / BLOCK)
  const blocks = new Uint8Array((Math.ceil(end / BLOCK) - first) * BLOCK)
  const view = new DataView(blocks.buffer)
  for (let block = 0; block * BLOCK < blocks.length; block += 1) {
    view.setUint32(block * BLOCK, first + block)
    view.setUint32(block * BLOCK + BLOCK - 4, ~(first + block))
  }
  return blocks.subarray(at - first * BLOCK, end - first * BLOCK)
}

function sourceOf(size: number): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream<Uint8Array>({
    pull(to) {
      if (at < size) to.enqueue(bytesOf(at, (at = Math.min(at + PIECE, size))))
      else to.close()
    },
  })
}

async function readWhole(bucket: EncryptedBucket, key: string, size: number): Promise<void> {
  const found = await bucket.get(key)
  if (found === null) throw new Error('there is no object')
  const reader = found.body.getReader()
  let at = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    demandBytes(value, bytesOf(at, at + value.length))
    at += value.length
  }
  demand(at === size, `${String(at)} of ${String(size)} bytes came back`)
}

async function readRanges(bucket: EncryptedBucket, key: string, size: number): Promise<void> {
  let state = SEED
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 0x1_0000_0000) * below)
  }
  for (let count = 0; count < RANGES; count += 1) {
    const offset = random(size)
    const length = 1 + random(100_000)
    const found = await bucket.get(key, { range: { offset, length } })
    const end = Math.min(size, offset + length)
    demandBytes((await found?.bytes()) ?? new Uint8Array(), bytesOf(offset, end))
  }
}
