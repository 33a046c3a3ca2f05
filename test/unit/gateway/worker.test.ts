import { beforeEach, describe, expect, it, vi } from 'vitest'
import { bytesOf, codeIn, ORIGIN, post, sequence } from './fixture.ts'

const KEY = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')
const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} }
type Worker = typeof import('../../../adapters/workers/main.ts').default

/** As in a new isolate: nothing is kept between tests. */
let worker: Worker
beforeEach(async () => {
  vi.resetModules()
  worker = (await import('../../../adapters/workers/main.ts')).default
})
const get = (path: string, env: Record<string, unknown>, host = ORIGIN): Promise<Response> =>
  Promise.resolve(worker.fetch(new Request(`${host}${path}`), env, context))

describe('the Worker', () => {
  it('serves with the keys of its bindings', async () => {
    const env = { EDGE_KMS_KEY_V1: KEY }
    const sealed = await bytesOf(
      await worker.fetch(post('/v1/encrypt', sequence(10)), env, context),
    )
    const opened = await worker.fetch(post('/v1/decrypt', sealed), env, context)
    expect(await bytesOf(opened)).toEqual(sequence(10))
  })

  it('opens under new keys what old versions wrapped', async () => {
    const body = post('/v1/encrypt', sequence(10))
    const sealed = await bytesOf(await worker.fetch(body, { EDGE_KMS_KEY_V1: KEY }, context))
    vi.resetModules()
    const later = (await import('../../../adapters/workers/main.ts')).default
    const other = Buffer.from(sequence(32)).toString('base64')
    const env = { EDGE_KMS_KEY_V1: KEY, EDGE_KMS_KEY_V2: other }
    expect((await later.fetch(post('/v1/decrypt', sealed), env, context)).status).toBe(200)
  })

  it('without a key gives a problem, and works once it has one', async () => {
    const answer = await get('/healthz', {})
    expect(answer.status).toBe(500)
    expect(await codeIn(answer)).toBe('ERR_KMS_CONFIG')
    expect((await get('/healthz', { EDGE_KMS_KEY_V1: KEY })).status).toBe(200)
  })

  it('never shows a key that cannot be used', async () => {
    const answer = await get('/healthz', { EDGE_KMS_KEY_V1: `${KEY}!` })
    expect(await answer.text()).not.toContain(KEY)
  })

  it('answers to this machine only, unless it is told the hosts', async () => {
    const env = { EDGE_KMS_KEY_V1: KEY }
    expect((await get('/healthz', env, 'http://kms.test')).status).toBe(421)
  })

  it.each([
    ['kms.test', 200],
    [' a.test , KMS.test ', 200],
    ['*', 200],
    ['other.test', 421],
    ['', 421],
  ])('with EDGE_KMS_GATEWAY_HOSTS %j answers %i', async (hosts, status) => {
    const env = { EDGE_KMS_KEY_V1: KEY, EDGE_KMS_GATEWAY_HOSTS: hosts }
    expect((await get('/healthz', env, 'http://kms.test')).status).toBe(status)
  })

  it.each(['*.test', 'kms.test:443', 'http://kms.test', 'a b'])(
    'answers to nobody with EDGE_KMS_GATEWAY_HOSTS %j',
    async (hosts) => {
      const env = { EDGE_KMS_KEY_V1: KEY, EDGE_KMS_GATEWAY_HOSTS: hosts }
      const answer = await get('/healthz', env)
      expect(answer.status).toBe(500)
      expect(await codeIn(answer)).toBe('ERR_KMS_CONFIG')
    },
  )

  it.each([
    ['0', 200],
    ['67108864', 200],
    ['', 200],
    ['67108865', 500],
    ['1m', 500],
    ['-1', 500],
    ['1e3', 500],
  ])('with EDGE_KMS_GATEWAY_HOLD_BYTES %j answers %i', async (bytes, status) => {
    const env = { EDGE_KMS_KEY_V1: KEY, EDGE_KMS_GATEWAY_HOLD_BYTES: bytes }
    expect((await get('/healthz', env)).status).toBe(status)
  })

  it('refuses messages by reference: it has no store', async () => {
    const reference = Uint8Array.of(0x65, 0x6b, 1, 0x11, ...sequence(32), ...sequence(40))
    const answer = await worker.fetch(
      post('/v1/decrypt', reference, {}),
      { EDGE_KMS_KEY_V1: KEY },
      context,
    )
    expect(answer.status).toBe(422)
    expect(await codeIn(answer)).toBe('ERR_WIRE_KIND_REFUSED')
  })
})
