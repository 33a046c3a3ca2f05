import { describe, expect, it } from 'vitest'
import { codeIn, MAPS, post, postSized, sequence, setUp } from './fixture.ts'

describe('framing', () => {
  it.each([
    ['Node names it', {}, { incoming: { httpVersion: '1.0' } }],
    ['Cloudflare names it', { httpProtocol: 'HTTP/1.0' }, undefined],
  ])('refuses HTTP/1.0 without a length where %s', async (_, cf, env) => {
    const { app, kms } = setUp()
    const ask = async (request: Request): Promise<Response> =>
      app.fetch(Object.assign(request, { cf }), env)
    for (const path of ['/v1/encrypt', '/v1/decrypt']) {
      const answer = await ask(post(path, sequence(10)))
      expect(answer.status).toBe(411)
      expect(await codeIn(answer)).toBe('ERR_GATEWAY_LENGTH_REQUIRED')
    }
    expect(kms.calls).toBe(0)
    expect((await ask(postSized('/v1/encrypt', sequence(10)))).status).toBe(200)
    expect((await ask(post('/v1/encrypt', null))).status).toBe(200)
  })

  it('takes a body of unknown length in later versions', async () => {
    const { app } = setUp()
    const answer = await app.fetch(post('/v1/encrypt', sequence(10)), {
      incoming: { httpVersion: '1.1' },
    })
    expect(answer.status).toBe(200)
  })

  it.each(['5, 5', '-1', '+5', '5.0', '0x5', '', 'five', '9'.repeat(16)])(
    'refuses the Content-Length %j',
    async (length) => {
      const headers = { ...MAPS, 'Content-Length': length }
      const answer = await setUp().app.fetch(post('/v1/encrypt', sequence(5), headers))
      expect(answer.status).toBe(400)
      expect(await codeIn(answer)).toBe('ERR_GATEWAY_BAD_REQUEST')
    },
  )

  it('refuses a body with two lengths', async () => {
    const headers = { ...MAPS, 'Content-Length': '5', 'Transfer-Encoding': 'chunked' }
    const answer = await setUp().app.fetch(post('/v1/encrypt', sequence(5), headers))
    expect(answer.status).toBe(400)
    expect(await codeIn(answer)).toBe('ERR_GATEWAY_BAD_REQUEST')
  })
})
