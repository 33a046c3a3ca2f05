import { describe, expect, it } from 'vitest'
import { isKmsError, KmsError } from '../../../src/errors.ts'
import { checkEndpoint, Transport } from '../../../src/http/index.ts'
import type { Network } from '../../../src/ports/index.ts'

const URL = 'https://kms.example.test/'

/** A network that answers from a function; its timers fire when the test says so. */
function network(
  answer: (init: RequestInit) => Promise<Response> | Response,
): Network & { fire(): void } {
  const timers = new Set<() => void>()
  return {
    fetch: async (_url, init) => answer(init),
    after(_delayMs, callback) {
      timers.add(callback)
      return () => timers.delete(callback)
    },
    jitter: () => 0,
    fire() {
      for (const timer of timers) timer()
    },
  }
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => (isKmsError(error) ? error.code : error),
  )
}

const request = {
  method: 'POST',
  url: URL,
  headers: { authorization: 'secret-canary' },
  body: '{}',
} as const

describe('R9 transport', () => {
  it('gives back status, headers and body', async () => {
    const net = network(() => new Response('hello', { status: 418, headers: { date: 'x' } }))
    const response = await new Transport({ network: net }).send(request)
    expect(response.status).toBe(418)
    expect(new TextDecoder().decode(response.body)).toBe('hello')
  })

  it('refuses every redirect and asks the platform not to follow', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      let mode: string | undefined
      const net = network((init) => {
        mode = init.redirect
        return new Response(null, { status, headers: { location: 'https://attacker.example/' } })
      })
      expect(await failure(new Transport({ network: net }).send(request))).toBe(
        'ERR_KMS_RESPONSE_INVALID',
      )
      expect(mode).toBe('manual')
    }
  })

  it('shows a redirect to who asked to see it, and does not follow it', async () => {
    let requests = 0
    const net = network(() => {
      requests += 1
      return new Response(null, { status: 307, headers: { location: 'https://standby.example/' } })
    })
    const response = await new Transport({ network: net }).send({ ...request, showsRedirect: true })
    expect([response.status, response.headers.get('location'), requests]).toEqual([
      307,
      'https://standby.example/',
      1,
    ])
  })

  it('stops at the body limit, with and without Content-Length', async () => {
    const stated = network(
      () => new Response(new Uint8Array(11), { headers: { 'content-length': '11' } }),
    )
    expect(await failure(new Transport({ network: stated, maxBodyBytes: 10 }).send(request))).toBe(
      'ERR_KMS_RESPONSE_INVALID',
    )
    let pulled = 0
    const endless = network(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              pulled += 1
              controller.enqueue(new Uint8Array(4))
            },
          }),
        ),
    )
    expect(await failure(new Transport({ network: endless, maxBodyBytes: 10 }).send(request))).toBe(
      'ERR_KMS_RESPONSE_INVALID',
    )
    expect(pulled).toBeLessThan(10)
  })

  it.each([
    ['too long', 200],
    ['a redirect', 302],
  ])('does not wait for the end of a body that is refused: %s', async (_what, status) => {
    let cancels = 0
    const stuck = network(() => {
      const source = {
        pull: (controller: ReadableStreamDefaultController) => {
          controller.enqueue(new Uint8Array(11))
        },
        cancel: () => {
          cancels += 1
          return new Promise<void>(() => undefined)
        },
      }
      return new Response(new ReadableStream(source), { status })
    })
    const facts = { provider: 'some-kms', operation: 'Decrypt' }
    const work = new Transport({ network: stuck, maxBodyBytes: 10 }).send({ ...request, facts })
    await expect(work).rejects.toMatchObject({ code: 'ERR_KMS_RESPONSE_INVALID', ...facts })
    expect(cancels).toBe(1)
  })

  it('R21 ends a request that never answers when its time is up', async () => {
    const net = network(() => new Promise<Response>(() => undefined))
    const work = failure(new Transport({ network: net }).send(request))
    await Promise.resolve()
    net.fire()
    expect(await work).toBe('ERR_KMS_TIMEOUT')
  })

  it('R21 ends a body that never ends when its time is up', async () => {
    const net = network(
      () => new Response(new ReadableStream({ pull: () => new Promise(() => undefined) })),
    )
    const work = failure(new Transport({ network: net }).send(request))
    await new Promise((resolve) => setTimeout(resolve))
    net.fire()
    expect(await work).toBe('ERR_KMS_TIMEOUT')
  })

  it('R21 passes an abort on to fetch and to the caller, with its reason', async () => {
    let seen: AbortSignal | null | undefined
    const net = network((init) => {
      seen = init.signal
      return new Promise<Response>(() => undefined)
    })
    const controller = new AbortController()
    const work = failure(
      new Transport({ network: net }).send({ ...request, signal: controller.signal }),
    )
    await Promise.resolve()
    const reason = new Error('stop')
    controller.abort(reason)
    expect(await work).toBe(reason)
    expect(seen?.aborted).toBe(true)
  })

  it('sends nothing for a signal that is aborted already', async () => {
    let sent = 0
    const net = network(() => new Response(String(sent++)))
    const reason = new Error('stop')
    const work = new Transport({ network: net }).send({
      ...request,
      signal: AbortSignal.abort(reason),
    })
    expect(await failure(work)).toBe(reason)
    expect(sent).toBe(0)
  })

  it('R12 a network error is retryable and holds no URL and no header', async () => {
    const net = network(() => {
      const cause = Object.assign(new Error(`connect ${URL} secret-canary`), {
        code: 'ECONNREFUSED',
      })
      throw new TypeError(`fetch failed ${URL}`, { cause })
    })
    const error: unknown = await new Transport({ network: net })
      .send(request)
      .catch((e: unknown) => e)
    expect(isKmsError(error, 'ERR_KMS_UNAVAILABLE') && error.retryable).toBe(true)
    const { cause } = error as KmsError
    expect((cause as Error).message).toBe('ECONNREFUSED')
    expect(`${String(error)} ${String(cause)} ${JSON.stringify(error)}`).not.toMatch(
      /canary|https?:/,
    )
  })

  it('has no timer where an attempt timeout ends the request, unless it was given one', async () => {
    const { signal } = new AbortController()
    const delays: number[] = []
    const net = network(() => new Response('x'))
    const after = (delayMs: number) => {
      delays.push(delayMs)
      return () => undefined
    }
    const timed = { ...request, signal, hasAttemptTimeout: true }
    for (const timeoutMs of [undefined, 700]) {
      const transport = new Transport({ network: { ...net, after }, timeoutMs })
      await transport.send(request)
      await transport.send({ ...request, signal })
      await transport.send({ ...timed, signal: undefined })
      await transport.send(timed)
    }
    expect(delays).toEqual([2_000, 2_000, 2_000, 700, 700, 700, 700])
  })

  it('an AbortError that the caller did not ask for is an outage', async () => {
    const net = network(() => {
      throw new DOMException('gone', 'AbortError')
    })
    const { signal } = new AbortController()
    const work = new Transport({ network: net }).send({ ...request, signal })
    await expect(work).rejects.toMatchObject({ code: 'ERR_KMS_UNAVAILABLE', retryable: true })
  })

  it('leaves no timer behind', async () => {
    let timers = 0
    const net: Network = {
      ...network(() => new Response('x')),
      after: () => {
        timers += 1
        return () => {
          timers -= 1
        }
      },
    }
    await new Transport({ network: net }).send(request)
    expect(timers).toBe(0)
  })
})

describe('R9 endpoints', () => {
  it.each([
    'http://kms.example.test',
    'http://127.0.0.1.example.test:8080',
    'ftp://127.0.0.1',
    'https://user@kms.example.test',
    'https://kms.example.test/?a=b',
    'https://kms.example.test/#x',
    'not a url',
    '',
    'https://kms.example.test\n.attacker.example',
    'https://kms.exa\tmple.test',
    ' https://kms.example.test',
    'https:\\\\kms.example.test',
    5,
    undefined,
  ])('refuses %j', (endpoint) => {
    expect(() => checkEndpoint(endpoint as string, { allowHttpLoopback: true })).toThrow(KmsError)
  })

  it('takes http for loopback only where it is allowed', () => {
    for (const endpoint of ['http://127.0.0.1:4566', 'http://localhost:1', 'http://[::1]:1']) {
      expect(checkEndpoint(`${endpoint}/`, { allowHttpLoopback: true })).toBe(endpoint)
      expect(() => checkEndpoint(endpoint, {})).toThrow(KmsError)
    }
    expect(checkEndpoint('https://vpce-1.kms.eu-central-1.vpce.amazonaws.com/', {})).toBe(
      'https://vpce-1.kms.eu-central-1.vpce.amazonaws.com',
    )
  })
})

it.each([-1, 0, 1.5, 1e99, 3e9, NaN, Infinity, '1', null])(
  'refuses a timeout of %s',
  (timeoutMs) => {
    const options = { network: { fetch, after: () => () => undefined, jitter: () => 0 }, timeoutMs }
    expect(() => new Transport(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  },
)
