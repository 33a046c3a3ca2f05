import { expect, it } from 'vitest'
import { coldReader, drain, OPTIONS, sequence, setUp, through } from '../wire/fixture.ts'

it('rewrapStream hands on copies: a source may use one buffer for all its pieces', async () => {
  const { cipher, kms } = setUp()
  const envelope = await through(cipher.encryptStream(OPTIONS), sequence(40_000))
  const transform = cipher.rewrapStream({ context: OPTIONS.context })
  const pool = new Uint8Array(1_000)
  let handedOn = 0
  const reading = (async () => {
    const parts: Uint8Array[] = []
    for await (const part of transform.readable) {
      if (part.buffer === pool.buffer) handedOn += 1
      parts.push(part)
    }
    return new Uint8Array(Buffer.concat(parts))
  })()
  const writer = transform.writable.getWriter()
  for (let at = 0; at < envelope.length; at += pool.length) {
    const piece = envelope.subarray(at, at + pool.length)
    pool.set(piece)
    await writer.write(pool.subarray(0, piece.length))
    pool.fill(0xee)
  }
  await writer.close()
  const rewrapped = await reading
  expect(handedOn).toBe(0)
  const { released, error } = await drain(coldReader(kms).decryptStream(OPTIONS), [rewrapped])
  expect(error).toBeUndefined()
  expect(Buffer.compare(released, sequence(40_000))).toBe(0)
})
