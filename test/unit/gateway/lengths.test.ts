import { describe, expect, it } from 'vitest'
import {
  bytesOf,
  codeIn,
  drain,
  MAPS,
  OPTIONS,
  post,
  postSized,
  sequence,
  setUp,
} from './fixture.ts'

const SIZES = [0, 1, 16_383, 16_384, 16_385, 32_767, 32_768, 262_144, 1_000_000]
const CONTEXT = { 'Edge-Kms-Context': MAPS['Edge-Kms-Context'] }
const lengthOf = (answer: Response): string | null => answer.headers.get('content-length')

describe('an answer to a request that states its length', () => {
  it.each(SIZES)('states its own for %i bytes', async (size) => {
    const { app } = setUp(undefined, { holdBytes: 0 })
    const sealed = await app.fetch(postSized('/v1/encrypt', sequence(size)))
    const envelope = await bytesOf(sealed.clone())
    expect(lengthOf(sealed)).toBe(String(envelope.length))
    const rewrapped = await app.fetch(postSized('/v1/rewrap', envelope, CONTEXT))
    expect(lengthOf(rewrapped)).toBe(String((await bytesOf(rewrapped.clone())).length))
    const opened = await app.fetch(postSized('/v1/decrypt', await bytesOf(rewrapped)))
    expect(lengthOf(opened)).toBe(String(size))
    expect(Buffer.compare(await bytesOf(opened), sequence(size))).toBe(0)
  })

  it('states it for records, for messages by reference, and without a body', async () => {
    const { app, cipher } = setUp(undefined, { holdBytes: 0 })
    const record = await cipher.encrypt(sequence(1_000), OPTIONS)
    expect(lengthOf(await app.fetch(postSized('/v1/decrypt', record)))).toBe('1000')
    expect(lengthOf(await app.fetch(post('/v1/decrypt', record)))).toBe('1000')
    const moved = await app.fetch(postSized('/v1/rewrap', record, CONTEXT))
    expect(lengthOf(moved)).toBe(String((await bytesOf(moved.clone())).length))
    const empty = await app.fetch(post('/v1/encrypt', null))
    expect(lengthOf(empty)).toBe(String((await bytesOf(empty.clone())).length))
  })

  it('states none for a stream of unknown length', async () => {
    const { app } = setUp(undefined, { holdBytes: 0 })
    const sealed = await app.fetch(post('/v1/encrypt', sequence(100_000)))
    expect(lengthOf(sealed)).toBeNull()
    const opened = await app.fetch(post('/v1/decrypt', await bytesOf(sealed)))
    expect(lengthOf(opened)).toBeNull()
    expect(await bytesOf(opened)).toHaveLength(100_000)
  })
})

describe('a damaged envelope whose length is stated', () => {
  it.each([1, 16_384, 32_768, 100_000])(
    'never gives as many bytes as it said: %i',
    async (size) => {
      const { app } = setUp(undefined, { holdBytes: 0 })
      const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(size))))
      for (const at of [envelope.length - 1, envelope.length - 16, envelope.length - 17]) {
        const damaged = envelope.slice()
        damaged[at]! ^= 1
        const answer = await app.fetch(postSized('/v1/decrypt', damaged))
        if (answer.status === 422) continue
        const { bytes, error } = await drain(answer)
        expect(error).toMatchObject({ code: 'ERR_DECRYPT_FAILED' })
        expect(bytes).toBeLessThan(Number(lengthOf(answer)))
      }
    },
  )

  it('cut anywhere near its end gives less than it said, or a problem', async () => {
    const { app } = setUp(undefined, { holdBytes: 0 })
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(65_536))))
    for (let cut = 1; cut < 40; cut++) {
      const answer = await app.fetch(postSized('/v1/decrypt', envelope.slice(0, -cut)))
      if (answer.status === 422) continue
      const { bytes, error } = await drain(answer)
      expect(error).toMatchObject({ code: 'ERR_DECRYPT_FAILED' })
      expect(bytes).toBeLessThan(Number(lengthOf(answer)))
    }
  })

  it('is a clean problem where no stream has its length', async () => {
    const { app } = setUp(undefined, { holdBytes: 0 })
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(65_536))))
    const answer = await app.fetch(postSized('/v1/decrypt', envelope.slice(0, -16)))
    expect(answer.status).toBe(422)
    expect(await codeIn(answer)).toBe('ERR_DECRYPT_FAILED')
  })
})

describe('an answer that is held', () => {
  it('is a clean problem where the envelope fails late', async () => {
    const { app } = setUp()
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(900_000))))
    const damaged = envelope.slice()
    damaged[envelope.length - 1]! ^= 1
    for (const body of [damaged, envelope.slice(0, -1), envelope.slice(0, 500_000)]) {
      const answer = await app.fetch(postSized('/v1/decrypt', body))
      expect(answer.status).toBe(422)
      expect(await codeIn(answer)).toBe('ERR_DECRYPT_FAILED')
    }
    expect(lengthOf(await app.fetch(postSized('/v1/decrypt', envelope)))).toBe('900000')
  })

  it.each([
    [100_000, 100_000, true],
    [100_001, 100_000, false],
    [1_048_576, undefined, true],
    [1_048_577, undefined, false],
  ])(
    'of %i bytes begins after the body has ended, with holdBytes %j: %j',
    async (size, hold, held) => {
      const { app } = setUp(undefined, hold === undefined ? {} : { holdBytes: hold })
      let sent = 0
      const body = new ReadableStream<Uint8Array>({
        pull(controller): void {
          const piece = Math.min(10_000, size - sent)
          if (piece > 0) controller.enqueue(new Uint8Array(piece))
          else controller.close()
          sent += piece
        },
      })
      const headers = { ...MAPS, 'Content-Length': String(size) }
      const answer = await app.fetch(post('/v1/encrypt', body, headers))
      expect(sent === size).toBe(held)
      expect(String((await bytesOf(answer)).length)).toBe(lengthOf(answer))
    },
  )
})

describe('a body of another length than the request states', () => {
  it.each([99_999, 100_001, 0, 1_000_000])('breaks the answer: %i', async (stated) => {
    const { app } = setUp(undefined, { holdBytes: 0 })
    const headers = { ...MAPS, 'Content-Length': String(stated) }
    const answer = await app.fetch(post('/v1/encrypt', sequence(100_000), headers))
    if (answer.status === 200) expect((await drain(answer)).error).toBeDefined()
    else expect(await codeIn(answer)).toBe('ERR_GATEWAY_BODY_INCOMPLETE')
  })
})
