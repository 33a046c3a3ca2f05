// A reader that leaves, and the caller's own abort, are not errors of a stream: nobody gets a TypeError.
import { describe, expect, it } from 'vitest'
import type { EnvelopeCipher } from '../../../src/index.ts'
import { createGateway } from '../../../adapters/gateway/index.ts'
import { type Bytes, localKms, OPTIONS, sequence, setUp, through } from '../wire/fixture.ts'

type Transform = TransformStream<Uint8Array, Uint8Array>
type Pipe = (cipher: EnvelopeCipher, signal?: AbortSignal) => Transform
const LENGTH = 1_000_000
const options = (signal?: AbortSignal): object => ({ ...OPTIONS, ...(signal && { signal }) })
const encrypt: Pipe = (cipher, signal) => cipher.encryptStream(options(signal))
const decrypt: Pipe = (cipher, signal) => cipher.decryptStream(options(signal))
const rewrap: Pipe = (cipher, signal) =>
  cipher.rewrapStream({ context: OPTIONS.context, ...(signal && { signal }) })
const cipher = setUp().cipher
const message = await through(cipher.encryptStream(OPTIONS), sequence(LENGTH))
const PIPES: readonly (readonly [string, Pipe, Bytes])[] = [
  ['encryptStream', encrypt, sequence(LENGTH)],
  ['decryptStream', decrypt, message],
  ['rewrapStream', rewrap, message],
]
const own = new Error('my own abort')
const outcomeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'ok',
    (error: unknown) => error,
  )

describe.each(PIPES)('%s', (_, pipe, input) => {
  const open = (): ReadableStream<Uint8Array> =>
    new Blob([input]).stream().pipeThrough(pipe(cipher))

  it('can be left in the middle by for await', async () => {
    for (let i = 0; i < 20; i++) {
      let pieces = 0
      const read = async (): Promise<void> => {
        for await (const _ of open()) if (++pieces > i % 3) break
      }
      expect(await outcomeOf(read())).toBe('ok')
    }
  })

  it('can be cancelled after a read', async () => {
    for (let i = 0; i < 20; i++) {
      const reader = open().getReader()
      await reader.read()
      expect(await outcomeOf(reader.cancel(own))).toBe('ok')
    }
  })

  it('rejects on both sides with the reason of the signal', async () => {
    for (let after = 1; after <= 3; after++) {
      const control = new AbortController()
      const { readable, writable } = pipe(cipher, control.signal)
      let pieces = 0
      const source = outcomeOf(new Blob([input, input]).stream().pipeTo(writable))
      const sink = new WritableStream({
        write() {
          if (++pieces === after) control.abort(own)
        },
      })
      const end = outcomeOf(readable.pipeTo(sink))
      expect(await source).toBe(own)
      expect(await end).toBe(own)
    }
  })

  it('rejects a write that is under way with that reason', async () => {
    const control = new AbortController()
    const { readable, writable } = pipe(cipher, control.signal)
    const writer = writable.getWriter()
    const reader = readable.getReader()
    reader.closed.catch(() => undefined)
    writer.closed.catch(() => undefined)
    const wrote = outcomeOf(writer.write(input).then(() => writer.write(input)))
    await reader.read()
    control.abort(own)
    expect(await wrote).toBe(own)
  })

  it('fails its source with what its sink failed with', async () => {
    const { readable, writable } = pipe(cipher)
    const full = new Error('disk full')
    let pieces = 0
    const sink = new WritableStream({
      write() {
        if (++pieces === 2) throw full
      },
    })
    const both = Promise.all([
      new Blob([input, input, input]).stream().pipeTo(writable),
      readable.pipeTo(sink),
    ])
    expect(await outcomeOf(both)).toBe(full)
  })
})

it('a client that leaves the gateway is not an internal error', async () => {
  const { cipher } = setUp({ kms: localKms() })
  const gateway = createGateway({ cipher, kms: localKms(), holdBytes: 0 })
  for (let i = 0; i < 10; i++) {
    const answer = await gateway.fetch(
      new Request('http://localhost/v1/encrypt', { method: 'POST', body: sequence(3_000_000) }),
    )
    const reader = answer.body?.getReader()
    await reader?.read()
    expect(await outcomeOf(reader?.cancel(own) ?? Promise.reject(own))).toBe('ok')
  }
  await new Promise((resolve) => setTimeout(resolve, 50))
  const metrics = await gateway.fetch(new Request('http://localhost/metrics'))
  expect(await metrics.text()).not.toContain('ERR_GATEWAY_INTERNAL')
})
