// R38: a signal that outlives its streams, such as that of a server, must keep none of them.
import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import type { EnvelopeCipher } from '../../../src/index.ts'
import { type Bytes, drain, OPTIONS, sequence, setUp, through } from '../wire/fixture.ts'

const COUNT = 2_000
type Pipe = (cipher: EnvelopeCipher, signal: AbortSignal) => TransformStream<Uint8Array, Uint8Array>
const PIPES: readonly (readonly [string, Pipe])[] = [
  ['encryptStream', (cipher, signal) => cipher.encryptStream({ ...OPTIONS, signal })],
  ['decryptStream', (cipher, signal) => cipher.decryptStream({ ...OPTIONS, signal })],
  ['rewrapStream', (cipher, signal) => cipher.rewrapStream({ context: OPTIONS.context, signal })],
]
const left = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length
const wrongPiece = 'text' as unknown as Bytes

it.each(PIPES)('2,000 %s that fail leave no listener', async (_, pipe) => {
  const { cipher } = setUp()
  const { signal } = new AbortController()
  for (let i = 0; i < COUNT; i++) {
    const { error } = await drain(pipe(cipher, signal), [wrongPiece])
    if (!(error instanceof TypeError)) expect.fail('it did not fail')
  }
  expect(left(signal)).toBe(0)
})

it.each(PIPES)('2,000 %s that fail at their end leave no listener', async (name, pipe) => {
  const { cipher, kms } = setUp()
  const { signal } = new AbortController()
  kms.generateDataKey = () => Promise.reject(new Error('down'))
  for (let i = 0; i < COUNT; i++) {
    const { error } = await drain(pipe(cipher, signal), [])
    if (error === undefined) expect.fail(`${name} did not fail`)
  }
  expect(left(signal)).toBe(0)
})

it.each(PIPES)('2,000 %s that are cancelled or aborted leave no listener', async (_, pipe) => {
  const { cipher } = setUp()
  const { signal } = new AbortController()
  for (let i = 0; i < COUNT; i++) {
    const transform = pipe(cipher, signal)
    if (i % 2 === 0) await transform.readable.cancel()
    else await transform.writable.abort(new Error('the source broke'))
  }
  expect(left(signal)).toBe(0)
})

it.each(PIPES)('2,000 %s that are never used leave no listener', (_, pipe) => {
  const { cipher } = setUp()
  const { signal } = new AbortController()
  const kept = Array.from({ length: COUNT }, () => pipe(cipher, signal))
  expect(left(signal)).toBe(0)
  // One that is used later obeys its signal all the same.
  expect(kept[0]?.readable).toBeInstanceOf(ReadableStream)
  expect(left(signal)).toBe(1)
})

it('a stream that ends well leaves no listener, and has one while it runs', async () => {
  const { cipher } = setUp()
  const { signal } = new AbortController()
  const transform = cipher.encryptStream({ ...OPTIONS, signal })
  const writer = transform.writable.getWriter()
  const reader = transform.readable.getReader()
  const wrote = writer.write(sequence(9))
  await reader.read()
  await wrote
  expect(left(signal)).toBe(1)
  const closed = writer.close()
  while (!(await reader.read()).done);
  await closed
  expect(left(signal)).toBe(0)
})

it('startStream: what is dropped after the data key was made leaves no listener', async () => {
  const { cipher } = setUp()
  const { signal } = new AbortController()
  for (let i = 0; i < 100; i++) await cipher.startStream({ ...OPTIONS, signal })
  expect(left(signal)).toBe(0)
  const { transform } = await cipher.startStream({ ...OPTIONS, signal })
  await through(transform, sequence(9))
  expect(left(signal)).toBe(0)
})
