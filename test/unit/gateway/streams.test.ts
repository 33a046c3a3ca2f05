import { describe, expect, it } from 'vitest'
import { RequestBody } from '../../../adapters/gateway/request-body.ts'
import { bytesOf, codeIn, drain, post, sequence, setUp } from './fixture.ts'

async function metricsOf(app: ReturnType<typeof setUp>['app']): Promise<string> {
  return (await app.request('http://localhost/metrics')).text()
}

describe('a message that fails', () => {
  const plaintext = sequence(3_000_000)

  it('before the first byte is a clean problem', async () => {
    const { app } = setUp()
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', plaintext)))
    // In the head, in the stream's own header, and in the first chunk.
    for (const at of [10, 100, 230, 300, 10_000]) {
      const damaged = envelope.slice()
      damaged[at]! ^= 1
      const answer = await app.fetch(post('/v1/decrypt', damaged))
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
    }
  })

  it('later breaks the answer, and is counted', async () => {
    const { app } = setUp()
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', plaintext)))
    for (const at of [1_000_000, envelope.length - 1]) {
      const damaged = envelope.slice()
      damaged[at]! ^= 1
      const answer = await app.fetch(post('/v1/decrypt', damaged))
      expect(answer.status).toBe(200)
      const { bytes, error } = await drain(answer)
      expect(error).toMatchObject({ code: 'ERR_DECRYPT_FAILED' })
      expect(bytes).toBeLessThan(at)
    }
    expect(await metricsOf(app)).toContain(
      'edge_kms_gateway_broken_streams_total{route="decrypt",code="ERR_DECRYPT_FAILED"} 2\n',
    )
  })

  it('cut anywhere is never whole', async () => {
    const { app } = setUp()
    const envelope = await bytesOf(await app.fetch(post('/v1/encrypt', plaintext)))
    for (const length of [0, 3, 100, 300, 16_700, 2_000_000, envelope.length - 1]) {
      const answer = await app.fetch(post('/v1/decrypt', envelope.subarray(0, length)))
      if (answer.status === 200) expect((await drain(answer)).error).toBeDefined()
      else expect(await codeIn(answer)).toMatch(/^ERR_(?:DECRYPT_FAILED|WIRE_MALFORMED)$/)
    }
  })

  it('as an upload that breaks off breaks the answer', async () => {
    const { app } = setUp()
    let pieces = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller): void {
        if (pieces++ === 40) controller.error(new Error('the client went away'))
        else controller.enqueue(sequence(65_536))
      },
    })
    const answer = await app.fetch(post('/v1/encrypt', body))
    expect(answer.status).toBe(200)
    expect((await drain(answer)).error).toBeInstanceOf(Error)
    expect(await metricsOf(app)).toContain(
      'broken_streams_total{route="encrypt",code="ERR_GATEWAY_BODY_INCOMPLETE"} 1\n',
    )
  })
})

describe('an upload that breaks off before the answer has begun', () => {
  const cut = (): ReadableStream<Uint8Array> =>
    new ReadableStream({
      pull(controller): void {
        controller.error(new TypeError('a chunk of the body has no length'))
      },
    })

  it.each(['/v1/encrypt', '/v1/decrypt', '/v1/rewrap', '/v1/inspect'])(
    'is a request that %s cannot take, and not our failure',
    async (path) => {
      const { app } = setUp()
      const answer = await app.fetch(post(path, cut(), {}))
      expect(answer.status).toBe(400)
      expect(await codeIn(answer)).toBe('ERR_GATEWAY_BODY_INCOMPLETE')
    },
  )
})

describe('back-pressure', () => {
  it('reads no further than somebody reads the answer', async () => {
    const { app } = setUp()
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller): void {
        sent += 65_536
        controller.enqueue(new Uint8Array(65_536))
      },
    })
    const answer = await app.fetch(post('/v1/encrypt', body))
    const reader = answer.body!.getReader()
    let received = 0
    while (received < 4_000_000) received += (await reader.read()).value!.length
    // Chunks in flight, a piece on each side of the transform, and no more.
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(sent - received).toBeLessThan(600_000)
    await reader.cancel()
  })

  it('stops reading when the answer is given up, even while it waits for the client', async () => {
    const { app } = setUp()
    let sent = 0
    const cancelled = new Promise<unknown>((resolve) => {
      const body = new ReadableStream<Uint8Array>({
        pull(controller): Promise<void> | undefined {
          sent += 1
          if (sent > 4) return new Promise(() => undefined) // a client that sends no more
          controller.enqueue(new Uint8Array(65_536))
          return undefined
        },
        cancel: resolve,
      })
      void (async () => {
        const answer = await app.fetch(post('/v1/encrypt', body))
        const reader = answer.body!.getReader()
        await reader.read()
        await reader.cancel(new Error('enough'))
      })()
    })
    await cancelled
  })

  it('lets a client send on while it gets a problem, and ends with it', async () => {
    const { app } = setUp()
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller): void {
        if (sent++ < 100) controller.enqueue(new Uint8Array(65_536))
        else controller.close()
      },
    })
    const answer = await app.fetch(post('/v1/decrypt', body))
    expect(answer.status).toBe(400)
    expect(sent).toBeLessThan(10)
    expect(await codeIn(answer)).toBe('ERR_WIRE_MALFORMED')
    expect(sent).toBe(101)
  })

  it.each([
    ['has stopped', (): Promise<void> => new Promise(() => undefined)],
    ['breaks off', (): Promise<void> => Promise.reject(new Error('gone'))],
  ])('ends a problem for a client that %s', async (_, pull) => {
    const { app } = setUp()
    const answer = await app.fetch(post('/v1/nothing', new ReadableStream({ pull })))
    expect(answer.status).toBe(404)
    expect(await codeIn(answer)).toBe('ERR_GATEWAY_NOT_FOUND')
  })

  it('does not read for ever what nobody wants', async () => {
    let sent = 0
    let cancelled = false
    const endless = new ReadableStream<Uint8Array>({
      pull(controller): void {
        sent += 1
        controller.enqueue(new Uint8Array(1_048_576))
      },
      cancel(): void {
        cancelled = true
      },
    })
    await new RequestBody(post('/', endless)).discard()
    expect(cancelled).toBe(true)
    expect(sent).toBeLessThan(70)
  })
})
