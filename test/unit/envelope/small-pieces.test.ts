// A sender may cut a message as it likes: memory is bounded by the message, not by its pieces.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { EncryptedEnvelope } from '../../../src/index.ts'
import { OPTIONS, sequence, setUp } from '../wire/fixture.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Returns the bytes that are held after all of these pieces were written, before the stream ends. */
async function heldBytes(
  transform: TransformStream<Uint8Array, Uint8Array>,
  pieces: Iterable<Uint8Array>,
): Promise<number> {
  const { heapUsed, arrayBuffers } = (collect(), process.memoryUsage())
  const reading = transform.readable.getReader().read()
  const writer = transform.writable.getWriter()
  for (const piece of pieces) await writer.write(piece)
  collect()
  const after = process.memoryUsage()
  const held = after.heapUsed + after.arrayBuffers - heapUsed - arrayBuffers
  reading.catch(() => undefined)
  await writer.abort(new Error('enough'))
  return held
}

function* bytewise(message: Uint8Array): Generator<Uint8Array> {
  for (const byte of message) yield new Uint8Array([byte])
}

it('a record in one-byte pieces is held in at most eight times its size', async () => {
  const { cipher } = setUp()
  const message = await cipher.encrypt(sequence(100_000), OPTIONS)
  const transform = cipher.decryptStream({ ...OPTIONS, kinds: ['record'] })
  expect(await heldBytes(transform, bytewise(message))).toBeLessThan(8 * message.length)
})

it('a head in one-byte pieces, and empty pieces without number, are held in little', async () => {
  const { cipher } = setUp()
  const message = await cipher.encrypt(sequence(9), OPTIONS)
  const { headBytes } = EncryptedEnvelope.parse(message)
  function* pieces(): Generator<Uint8Array> {
    yield* bytewise(message.subarray(0, headBytes - 1))
    for (let i = 0; i < 50_000; i++) yield new Uint8Array(0)
  }
  for (const transform of [
    cipher.decryptStream({ ...OPTIONS, kinds: ['record'] }),
    cipher.rewrapStream({ context: OPTIONS.context }),
  ]) {
    expect(await heldBytes(transform, pieces())).toBeLessThan(500_000)
  }
})

it('empty pieces in the body of a record are not held', async () => {
  const { cipher } = setUp()
  const message = await cipher.encrypt(sequence(90), OPTIONS)
  function* pieces(): Generator<Uint8Array> {
    yield message
    for (let i = 0; i < 50_000; i++) yield new Uint8Array(0)
  }
  const transform = cipher.decryptStream({ ...OPTIONS, kinds: ['record'] })
  expect(await heldBytes(transform, pieces())).toBeLessThan(500_000)
})
