import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { describe, expect, it, vi } from 'vitest'
import { kmsErrorHandler, problemOf } from '../../../adapters/gateway/index.ts'
import { withKms } from '../../../adapters/lambda/index.ts'
import { EnvelopeCipher, KMS_ERROR_CODES, KmsError } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'

const CANARY = 'canary-51c7'
const INTERNAL = {
  code: 'ERR_GATEWAY_INTERNAL',
  title: 'an unexpected failure',
  status: 500,
  retryable: false,
}

type Handler = Parameters<Hono['onError']>[0]

/** An app whose one route throws. */
function appOf(error: unknown, handler: Handler = kmsErrorHandler()): Hono {
  const app = new Hono()
  app.onError(handler)
  app.get('/', (c) => {
    c.header('x-request-id', 'r-1')
    c.header('content-length', '4')
    throw error
  })
  return app
}

const kms = createLocalKms({
  versions: [{ version: 1, key: crypto.getRandomValues(new Uint8Array(32)) }],
})

describe('kmsErrorHandler', () => {
  it.each(KMS_ERROR_CODES)('answers %s as the gateway and Lambda do', async (code) => {
    const error = new KmsError(code)
    const answer = await appOf(error).request('/')
    const gateway = problemOf(error)
    expect(answer.status).toBe(gateway.status)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    const lambda = withKms(() => Promise.reject(error), {
      create: () => ({ cipher: new EnvelopeCipher({ kms }) }),
    })
    const event = { version: '2.0', requestContext: { http: { method: 'GET' } } }
    const context = { getRemainingTimeInMillis: () => 10_000 }
    expect(await lambda(event, context)).toMatchObject({ statusCode: answer.status })
    expect(await answer.json()).toEqual(await gateway.json())
  })

  it.each(KMS_ERROR_CODES)('shows nothing of a message or a cause of %s', async (code) => {
    const cause = new Error(CANARY)
    const facts = { provider: CANARY, operation: CANARY, requestId: CANARY }
    const answers = [
      await appOf(new KmsError(code, { message: CANARY, cause, ...facts })).request('/'),
      await appOf(new KmsError(code, { message: CANARY, cause })).request('/'),
    ]
    for (const answer of answers) {
      const text = `${await answer.text()}${JSON.stringify([...answer.headers])}`
      expect(text).toContain(code)
      expect(text).not.toContain(CANARY)
    }
  })

  it('hands on how long the KMS asks to wait, and nothing where it does not', async () => {
    const waits = async (retryAfterMs?: number) => {
      const details = retryAfterMs === undefined ? {} : { retryAfterMs }
      const answer = await appOf(new KmsError('ERR_KMS_THROTTLED', details)).request('/')
      return answer.headers.get('retry-after')
    }
    expect(await waits(1_200)).toBe('2')
    expect(await waits()).toBeNull()
    expect(await waits(NaN)).toBeNull()
    expect(await waits(-1)).toBeNull()
  })

  it.each([Infinity, 1e300])(
    'names a day at most where a KMS asks to wait %d ms',
    (retryAfterMs) => {
      const error = new KmsError('ERR_KMS_THROTTLED', { retryAfterMs })
      expect(problemOf(error).headers.get('retry-after')).toBe('86400')
    },
  )

  it.each([NaN, -1])('names no wait of %d ms in any problem', (retryAfterMs) => {
    const error = new KmsError('ERR_KMS_THROTTLED', { retryAfterMs })
    expect(problemOf(error).headers.get('retry-after')).toBeNull()
  })

  it('answers an error of another version of the package as an unexpected failure', async () => {
    const foreign = Object.assign(new KmsError('ERR_KMS_CONFIG'), { code: CANARY })
    const answer = await appOf(foreign).request('/')
    expect(answer.status).toBe(500)
    expect(await answer.json()).toEqual(INTERNAL)
  })

  it.each([new Error(CANARY), new TypeError(CANARY, { cause: CANARY })])(
    'answers any other error with 500 and nothing of it: %#',
    async (error) => {
      const answer = await appOf(error).request('/')
      expect(answer.status).toBe(500)
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
      expect(await answer.json()).toEqual(INTERNAL)
    },
  )

  it('keeps headers that were set before, except those of the body that was not sent', async () => {
    const answer = await appOf(new KmsError('ERR_DECRYPT_FAILED')).request('/')
    expect(answer.headers.get('x-request-id')).toBe('r-1')
    expect(answer.headers.get('content-length')).toBeNull()
    expect(await answer.json()).toMatchObject({ code: 'ERR_DECRYPT_FAILED', status: 422 })
  })

  it('lets an HTTPException answer for itself', async () => {
    const res = new Response('not yours', {
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
    })
    const onError = vi.fn()
    const handler = kmsErrorHandler({ onError })
    const answer = await appOf(new HTTPException(401, { res }), handler).request('/')
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    expect(answer.headers.get('x-request-id')).toBe('r-1')
    expect(await answer.text()).toBe('not yours')
    const plain = await appOf(new HTTPException(403, { message: 'forbidden' })).request('/')
    expect([plain.status, await plain.text()]).toEqual([403, 'forbidden'])
    expect(onError).not.toHaveBeenCalled()
  })

  it('does not trust an error that only looks like an HTTPException', async () => {
    const fake = Object.assign(new Error(CANARY), { getResponse: () => ({ body: CANARY }) })
    const answer = await appOf(fake).request('/')
    expect(answer.status).toBe(500)
    expect(await answer.json()).toEqual(INTERNAL)
  })

  it('answers an exception whose own answer throws, or was sent before', async () => {
    const fails = (): never => {
      throw new Error(CANARY)
    }
    const sent = new Response(CANARY, { status: 401 })
    await sent.text()
    for (const getResponse of [fails, () => sent]) {
      const onError = vi.fn()
      const error = Object.assign(new Error(CANARY), { getResponse })
      const answer = await appOf(error, kmsErrorHandler({ onError })).request('/')
      expect(await answer.json()).toEqual(INTERNAL)
      expect(onError).toHaveBeenCalledTimes(1)
    }
  })

  it('answers what is not an error as an unexpected failure', async () => {
    const handler = kmsErrorHandler()
    for (const thrown of [undefined, null, 'text'])
      expect((await handler(thrown as never, {})).status).toBe(500)
  })

  it('leaves every other error to otherwise, and none of edge-kms', async () => {
    const otherwise = vi.fn((error: Error, c: Context) => c.text(error.name, 418))
    const onError = vi.fn()
    const handler = kmsErrorHandler({ otherwise, onError })
    expect((await appOf(new RangeError(CANARY), handler).request('/')).status).toBe(418)
    expect((await appOf(new HTTPException(401), handler).request('/')).status).toBe(418)
    expect(onError).not.toHaveBeenCalled()
    expect((await appOf(new KmsError('ERR_DECRYPT_FAILED'), handler).request('/')).status).toBe(422)
    expect(otherwise).toHaveBeenCalledTimes(2)
    expect(onError).toHaveBeenCalledTimes(1)
  })

  it('tells onError, whose own failure changes nothing', async () => {
    const error = new KmsError('ERR_KMS_UNAVAILABLE', { message: CANARY })
    const heard: unknown[] = []
    const onError = (told: Error, c: Context): void => {
      heard.push(told, c.req.path)
      throw new Error('the log is full')
    }
    expect((await appOf(error, kmsErrorHandler({ onError })).request('/')).status).toBe(503)
    expect(heard).toEqual([error, '/'])
    const rejects = (): unknown => Promise.reject(new Error('later'))
    const answer = await appOf(error, kmsErrorHandler({ onError: rejects })).request('/')
    expect(answer.status).toBe(503)
  })

  it('answers for what a cipher throws in a route', async () => {
    const cipher = new EnvelopeCipher({ kms })
    const app = new Hono()
    app.onError(kmsErrorHandler())
    app.get('/', async (c) => c.text(await cipher.decryptText(c.req.query('card') ?? '')))
    const card = await cipher.encryptText('4111 1111', { context: { tenant: 'acme' } })
    const statuses = []
    for (const text of [card, 'ek1.AAAA', 'no envelope'])
      statuses.push((await app.request(`/?card=${encodeURIComponent(text)}`)).status)
    expect(statuses).toEqual([422, 400, 400])
  })

  it.each([
    { otherwise: 'text' },
    { onError: null },
    { onErorr: () => undefined },
    'handler',
    null,
  ])('refuses wrong options: %j', (options) => {
    expect(() => kmsErrorHandler(options as object)).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  })
})
