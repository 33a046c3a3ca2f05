import { describe, expect, it } from 'vitest'
import { problemOf } from '../../../adapters/gateway/index.ts'
import { GatewayError, statusOf } from '../../../adapters/gateway/problem.ts'
import { KMS_ERROR_CODES, KmsError } from '../../../src/index.ts'
import { codeIn, CountedKms, MAPS, post, postSized, sequence, setUp } from './fixture.ts'

const CANARY = 'canary-7f3a'

describe('problem documents', () => {
  it.each(KMS_ERROR_CODES)('has a status and a title for %s', async (code) => {
    const answer = problemOf(new KmsError(code))
    expect(answer.status).toBe(statusOf(code))
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(600)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    const error = new KmsError(code)
    expect(await answer.json()).toEqual({
      code,
      title: error.message,
      status: answer.status,
      retryable: error.retryable,
    })
  })

  it('answers what may succeed later with a status that says so', () => {
    for (const code of KMS_ERROR_CODES) {
      if (!new KmsError(code).retryable) continue
      // The one that may appear in a replica is not found now.
      expect([404, 503, 504]).toContain(statusOf(code))
    }
  })

  it('tells the caller which rule their own map breaks', async () => {
    const { app } = setUp()
    const headers = { 'Edge-Kms-Context': '{"a":"1","A":"2"}' }
    const problem = (await (await app.fetch(post('/v1/encrypt', null, headers))).json()) as {
      detail: string
    }
    expect(problem.detail).toEqual(expect.any(String))
  })

  it.each([
    new KmsError('ERR_KMS_CONFIG', { message: CANARY }),
    new KmsError('ERR_KMS_ACCESS_DENIED', { message: CANARY, provider: 'x' }),
    new KmsError('ERR_KMS_UNAVAILABLE', { message: CANARY, cause: new Error(CANARY) }),
    new KmsError('ERR_DECRYPT_FAILED', { message: CANARY, cause: new Error(CANARY) }),
    new Error(CANARY),
    new TypeError(CANARY, { cause: CANARY }),
    CANARY,
    { code: CANARY },
    undefined,
  ])('says nothing that only this side may know: %#', async (error) => {
    const answer = problemOf(error)
    const text = `${await answer.text()}${JSON.stringify([...answer.headers])}`
    expect(text).not.toContain(CANARY)
    expect(text).not.toContain('stack')
  })

  it('repeats nothing that the request carried', async () => {
    const { app } = setUp()
    const bodies = [new TextEncoder().encode(CANARY), sequence(500)]
    const maps = [
      { 'Edge-Kms-Context': `{"${CANARY}":1}` },
      { 'Edge-Kms-Context': `{"k":"${CANARY}","k":"${CANARY}"}` },
      { 'Edge-Kms-Context': `{"edge-kms:${CANARY}":"x"}` },
      { [`Edge-Kms-${CANARY}`]: CANARY },
      { 'Edge-Kms-Context': `{"k":"${CANARY}"}`, 'Edge-Kms-Aad': `{"k":"${CANARY}"}` },
    ]
    for (const path of ['/v1/decrypt', '/v1/rewrap', '/v1/inspect', `/${CANARY}`]) {
      for (const body of bodies) {
        for (const headers of maps) {
          const answer = await app.fetch(post(path, body, headers))
          expect(answer.status).toBeGreaterThanOrEqual(400)
          expect(await answer.text()).not.toContain(CANARY)
        }
      }
    }
  })

  it('hands on how long the KMS asks to wait', () => {
    const answer = problemOf(new KmsError('ERR_KMS_THROTTLED', { retryAfterMs: 1_200 }))
    expect(answer.headers.get('retry-after')).toBe('2')
  })

  it('names the methods of a route', () => {
    const answer = problemOf(new GatewayError('ERR_GATEWAY_METHOD_NOT_ALLOWED', { allow: 'POST' }))
    expect(answer.headers.get('allow')).toBe('POST')
  })

  it.each([
    [new KmsError('ERR_KMS_TIMEOUT'), 504, 'ERR_KMS_TIMEOUT'],
    [new KmsError('ERR_KMS_ACCESS_DENIED'), 403, 'ERR_KMS_ACCESS_DENIED'],
    ['a string', 503, 'ERR_KMS_UNAVAILABLE'],
    [new Error(CANARY), 503, 'ERR_KMS_UNAVAILABLE'],
  ])('is the answer where the KMS throws %s', async (thrown, status, code) => {
    const failing = Object.assign(new CountedKms(), {
      generateDataKey: () => Promise.reject(thrown as Error),
    })
    const { app } = setUp(failing, { holdBytes: 0 })
    for (const send of [post, postSized]) {
      for (const bytes of [0, 10, 100_000]) {
        const answer = await app.fetch(send('/v1/encrypt', sequence(bytes), MAPS))
        expect(answer.status).toBe(status)
        expect(answer.headers.get('content-type')).toBe('application/problem+json')
        expect(await codeIn(answer)).toBe(code)
      }
    }
  })
})
