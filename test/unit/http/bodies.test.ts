import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { isKmsError } from '../../../src/errors.ts'
import { Transport } from '../../../src/http/index.ts'
import { codeOf, deferred, testPorts, turn } from '../credentials/aws/ports.ts'

const request = {
  method: 'POST',
  url: 'https://kms.example.test/',
  headers: {},
  body: '{}',
} as const

function over(answer: () => Response | Promise<Response>, maxBodyBytes = 10) {
  const ports = testPorts(answer)
  return { ports, transport: new Transport({ network: ports.network, maxBodyBytes }) }
}

/** A body that comes in these pieces, and then ends, breaks or hangs. */
function pieces(sizes: readonly number[], end: 'ends' | 'breaks' | 'hangs' = 'ends') {
  const state = { pulled: 0, cancelled: false }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const size = sizes[state.pulled]
        state.pulled += 1
        if (size !== undefined) controller.enqueue(new Uint8Array(size).fill(0x20))
        else if (end === 'ends') controller.close()
        else if (end === 'breaks') controller.error(new TypeError('canary: socket closed'))
        else return new Promise(() => undefined)
        return undefined
      },
      cancel() {
        state.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { body, state }
}

describe('R9 the body of an answer', () => {
  it.each([
    [[], 0],
    [[10], 10],
    [[3, 0, 3, 4], 10],
    [Array.from({ length: 10 }, () => 1), 10],
  ])('in pieces of %j is read whole', async (sizes, length) => {
    const { transport } = over(() => new Response(pieces(sizes).body))
    expect((await transport.send(request)).body.length).toBe(length)
  })

  it.each([
    [[11], undefined],
    [[10, 1], undefined],
    [[4, 4, 4], undefined],
    // The header does not count: HTTP/2 and chunks do not hold a client to it.
    [[4, 4, 4], '10'],
    [[4, 4, 4], '0'],
    [[4, 4, 4], ''],
    [[4, 4, 4], 'none'],
  ])('in pieces of %j is refused at 10 bytes, Content-Length: %s', async (sizes, length) => {
    const { body, state } = pieces([...sizes, ...Array<number>(1_000).fill(4)])
    const headers = new Headers(length === undefined ? {} : { 'content-length': length })
    const { ports, transport } = over(() => new Response(body, { headers }))
    expect(await codeOf(transport.send(request))).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(state.pulled).toBeLessThanOrEqual(sizes.length + 1)
    expect([state.cancelled, ports.waiting]).toEqual([true, 0])
  })

  it('a body without end is refused, though whoever sends it will not stop', async () => {
    const body = new ReadableStream({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(4))
      },
      cancel: () => new Promise(() => undefined),
    })
    const { ports, transport } = over(() => new Response(body))
    const work = codeOf(transport.send(request))
    await turn()
    ports.advance(2_000)
    expect(['ERR_KMS_RESPONSE_INVALID', 'ERR_KMS_TIMEOUT']).toContain(await work)
  })

  it('none at all is an empty one', async () => {
    const { transport } = over(() => new Response(null, { status: 204 }))
    expect((await transport.send(request)).body.length).toBe(0)
  })

  it('R12 one that breaks is unavailable, and the reason is not passed on', async () => {
    const { transport } = over(() => new Response(pieces([4], 'breaks').body))
    const error: unknown = await transport.send(request).catch((caught: unknown) => caught)
    expect(isKmsError(error, 'ERR_KMS_UNAVAILABLE')).toBe(true)
    expect(inspect(error, { depth: 9 })).not.toContain('canary')
  })

  it('R21 one that hangs is a timeout at the deadline, not before', async () => {
    const { body } = pieces([4], 'hangs')
    const { ports, transport } = over(() => new Response(body))
    const work = codeOf(transport.send(request))
    await turn()
    ports.advance(1_999)
    await turn()
    expect(ports.waiting).toBe(1)
    ports.advance(1)
    expect(await work).toBe('ERR_KMS_TIMEOUT')
    expect(ports.waiting).toBe(0)
  })

  it('R21 the time for the head counts', async () => {
    const head = deferred<Response>()
    const { ports, transport } = over(() => head.promise)
    const work = codeOf(transport.send(request))
    await turn()
    ports.advance(1_500)
    head.resolve(new Response(pieces([4], 'hangs').body))
    await turn()
    ports.advance(500)
    expect(await work).toBe('ERR_KMS_TIMEOUT')
  })

  it.each(['hangs', 'ends'] as const)('R21 an abort while it %s ends the call', async (end) => {
    const controller = new AbortController()
    const { body } = pieces([4], end)
    const { ports, transport } = over(() => new Response(body))
    const work = codeOf(transport.send({ ...request, signal: controller.signal }))
    if (end === 'hangs') await turn()
    const reason = new Error('gone')
    controller.abort(reason)
    expect(await work).toBe(reason)
    expect(ports.waiting).toBe(0)
  })

  it('R21 an abort after the answer changes nothing', async () => {
    const controller = new AbortController()
    const { transport } = over(() => new Response('ok'))
    const { body } = await transport.send({ ...request, signal: controller.signal })
    controller.abort(new Error('late'))
    expect(body.length).toBe(2)
  })
})

describe('R12 what fetch throws', () => {
  const named = (name: string) => Object.assign(new Error('canary'), { name })
  it.each<[string, unknown, string | undefined]>([
    ['an error', new TypeError('canary'), 'TypeError'],
    ['an error with a name of its own', named('canary https://kms.example.test'), ''],
    [
      'an error with a code',
      Object.assign(new Error('canary'), { code: 'ECONNRESET' }),
      'ECONNRESET',
    ],
    [
      'a cause with a code',
      new TypeError('canary', { cause: Object.assign(new Error('canary'), { code: 'ENOTFOUND' }) }),
      'ENOTFOUND',
    ],
    [
      'a code that is a sentence',
      Object.assign(new Error('canary'), { code: 'canary canary' }),
      'Error',
    ],
    ['a code that is a number', Object.assign(new Error('canary'), { code: 7 }), 'Error'],
    ['a text', 'canary canary', ''],
    ['null', null, ''],
    ['nothing', undefined, ''],
  ])('%s is unavailable, and of it only a word is kept', async (_what, thrown, word) => {
    const { transport } = over(() => {
      throw thrown
    })
    const error: unknown = await transport.send(request).catch((caught: unknown) => caught)
    if (!isKmsError(error, 'ERR_KMS_UNAVAILABLE')) throw new Error('not typed', { cause: error })
    expect(error.retryable).toBe(true)
    expect((error.cause as Error).message).toBe(word)
    expect(inspect(error, { depth: 9 })).not.toContain('canary')
  })
})
