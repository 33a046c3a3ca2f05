import { describe, expect, it } from 'vitest'
import { bytesOf, codeIn, MAPS, ORIGIN, post, sequence, setUp } from './fixture.ts'

const BAD = 'ERR_GATEWAY_BAD_REQUEST'
const CONTEXT = 'ERR_CONTEXT_INVALID'

describe('maps in headers', () => {
  const refused: [name: string, context: string, code: string][] = [
    ['an empty header', '', CONTEXT],
    ['no JSON', 'tenant=acme', CONTEXT],
    ['an array', '["a"]', CONTEXT],
    ['a value that is not a string', '{"a":1}', CONTEXT],
    ['null', 'null', CONTEXT],
    ['a nested object', '{"a":{"b":"c"}}', CONTEXT],
    ['a key twice', '{"a":"1","a":"2"}', CONTEXT],
    ['a key twice, once escaped', '{"a":"1","\\u0061":"2"}', CONTEXT],
    ['keys that differ in case', '{"a":"1","A":"2"}', CONTEXT],
    ['a header twice, as fetch joins them', '{"a":"1"}, {"b":"2"}', CONTEXT],
    ['something behind the object', '{"a":"1"} x', CONTEXT],
    ['other characters than ASCII', '{"a":"\u00fc"}', CONTEXT],
    ['a reserved key', '{"edge-kms:dk":"x"}', CONTEXT],
    ['an empty key', '{"":"x"}', CONTEXT],
    ['a lone surrogate', '{"a":"\\ud800"}', CONTEXT],
    ['more than a header may hold', `{"a":"${'x'.repeat(70_000)}"}`, CONTEXT],
    ['more than a context may hold', `{"a":"${'x'.repeat(5_000)}"}`, CONTEXT],
  ]

  it.each(refused)('refuses %s', async (_, text, code) => {
    const { app, kms } = setUp()
    for (const path of ['/v1/encrypt', '/v1/decrypt', '/v1/rewrap']) {
      const answer = await app.fetch(post(path, sequence(10), { 'Edge-Kms-Context': text }))
      expect(answer.status).toBe(400)
      expect(await codeIn(answer)).toBe(code)
    }
    expect(kms.calls).toBe(0)
  })

  it('refuses them in the aad too', async () => {
    const { app } = setUp()
    const twice = { 'Edge-Kms-Aad': '{"a":"1","a":"2"}' }
    expect(await codeIn(await app.fetch(post('/v1/encrypt', null, twice)))).toBe(CONTEXT)
  })

  it('takes every character as an escape, and any order', async () => {
    const { app } = setUp()
    const body = sequence(10)
    const escaped = { 'Edge-Kms-Context': '{ "b" : "\\u00fc\\ud83d\\ude00" ,"a":"1" }' }
    const sealed = await bytesOf(await app.fetch(post('/v1/encrypt', body, escaped)))
    const other = { 'Edge-Kms-Context': '{"a":"1","b":"\\u00FC\\uD83D\\uDE00"}' }
    expect(await bytesOf(await app.fetch(post('/v1/decrypt', sealed, other)))).toEqual(body)
  })

  it('refuses two headers of one name, of which each is a map', async () => {
    const { app, kms } = setUp()
    for (const [one, two] of [
      ['{"tenant":"a"}', '{"tenant":"a"}'],
      ['{"tenant":"a"}', '{"tenant":"b"}'],
      ['{}', '{"tenant":"a"}'],
      ['{"tenant":"a"}', ''],
      ['', '{"tenant":"a"}'],
      ['{"tenant":"a","b":"', '{"tenant":"c"}'],
    ] as const) {
      const request = post('/v1/encrypt', sequence(10), {})
      request.headers.append('Edge-Kms-Context', one)
      request.headers.append('Edge-Kms-Context', two)
      expect(await codeIn(await app.fetch(request))).toBe(CONTEXT)
    }
    expect(kms.calls).toBe(0)
  })

  it.each(['{"name":"Doe, Ada","b":"x,y"}', '{"name": "Doe\\u002c Ada", "b": "x,y"}'])(
    'takes JSON as JavaScript and Python write it: %s',
    async (text) => {
      const { app, cipher } = setUp()
      const headers = { 'Edge-Kms-Context': text }
      const sealed = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(10), headers)))
      const options = { context: { name: 'Doe, Ada', b: 'x,y' }, kinds: ['stream'] as const }
      expect(await cipher.decrypt(sealed, options)).toEqual(sequence(10))
    },
  )

  it.each([
    ...['Edge_Kms_Context', 'Edge-Kms_Context', 'EdgeKms-Context', 'X-Edge-Kms-Context'],
    ...['Edge.Kms.Context', 'Edg-Kms-Context', 'Edge-Km-Context', 'Kms-Context'],
    ...['HTTP-Edge-Kms-Context', 'X-Forwarded-Edge-Kms-Context', 'XX-Edge-Kms-Aad'],
  ])('refuses the header %s, which a caller may mean as ours', async (name) => {
    const { app, kms } = setUp()
    const answer = await app.fetch(post('/v1/encrypt', null, { [name]: '{"a":"1"}' }))
    expect(answer.status).toBe(400)
    expect(await codeIn(answer)).toBe(BAD)
    expect(kms.calls).toBe(0)
  })

  it('takes the empty object for no map', async () => {
    const { app } = setUp()
    const empty = { 'Edge-Kms-Context': '{}', 'Edge-Kms-Aad': '{}' }
    const sealed = await bytesOf(await app.fetch(post('/v1/encrypt', sequence(10), empty)))
    expect((await app.fetch(post('/v1/decrypt', sealed, {}))).status).toBe(200)
  })

  it('refuses a header of ours that it does not know, and a query', async () => {
    const { app } = setUp()
    const typo = post('/v1/encrypt', null, { 'Edge-Kms-Contexts': '{"a":"1"}' })
    expect(await codeIn(await app.fetch(typo))).toBe(BAD)
    const query = post('/v1/encrypt?context=%7B%7D', null, {})
    expect(await codeIn(await app.fetch(query))).toBe(BAD)
    const inspect = post('/v1/inspect', null, MAPS)
    expect(await codeIn(await app.fetch(inspect))).toBe(BAD)
  })
})

describe('routes', () => {
  it.each([
    ['GET', '/v1/encrypt', 'POST'],
    ['PUT', '/v1/decrypt', 'POST'],
    ['OPTIONS', '/v1/rewrap', 'POST'],
    ['DELETE', '/v1/inspect', 'POST'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['POST', '/', 'GET, HEAD'],
  ])('answers %s %s with 405 and what it takes', async (method, path, allow) => {
    const answer = await setUp().app.request(`${ORIGIN}${path}`, { method })
    expect(answer.status).toBe(405)
    expect(answer.headers.get('allow')).toBe(allow)
    expect(await codeIn(answer)).toBe('ERR_GATEWAY_METHOD_NOT_ALLOWED')
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-'))).toEqual([])
  })

  it.each(['/v1', '/v1/encrypt/', '/v1/Encrypt', '/v2/encrypt', '/v1/encrypt/x', '/.env'])(
    'does not know %s',
    async (path) => {
      const answer = await setUp().app.request(`${ORIGIN}${path}`, { method: 'POST' })
      expect(answer.status).toBe(404)
      expect(await codeIn(answer)).toBe('ERR_GATEWAY_NOT_FOUND')
    },
  )

  it('lets nothing store or sniff an answer', async () => {
    const { app } = setUp()
    const sealed = await app.fetch(post('/v1/encrypt', sequence(10)))
    const envelope = await bytesOf(sealed.clone())
    const answers = [
      sealed,
      await app.fetch(post('/v1/decrypt', envelope)),
      await app.fetch(post('/v1/decrypt', envelope, {})),
      await app.fetch(post('/v1/inspect', envelope, {})),
      await app.request(`${ORIGIN}/`),
      await app.request(`${ORIGIN}/healthz`),
      await app.request(`${ORIGIN}/readyz`),
      await app.request(`${ORIGIN}/metrics`),
      await app.request(`${ORIGIN}/nowhere`),
    ]
    for (const answer of answers) {
      expect(answer.headers.get('cache-control')).toBe('no-store')
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    }
    expect(answers[0]!.headers.get('content-type')).toBe('application/octet-stream')
    expect(answers[1]!.headers.get('content-type')).toBe('application/octet-stream')
  })

  it('helps with lines that name the address that was asked', async () => {
    const text = await (await setUp().app.request('http://localhost:9999/')).text()
    expect(text).toContain('http://localhost:9999/v1/encrypt')
    expect(text).toContain('http://localhost:9999/v1/decrypt')
  })
})

describe('who may ask', () => {
  const ask = async (
    url: string,
    headers: Record<string, string> = {},
    hosts?: readonly string[] | 'any',
  ): Promise<unknown> => {
    const { app } = setUp(undefined, hosts === undefined ? {} : { hosts })
    const answer = await app.request(url, { headers })
    return answer.status === 200 ? 'ok' : codeIn(answer)
  }
  const HOST = 'ERR_GATEWAY_HOST_REFUSED'
  const SITE = 'ERR_GATEWAY_CROSS_SITE'

  it.each([
    'http://localhost/healthz',
    'http://127.0.0.1:1/healthz',
    'http://127.9.9.9/healthz',
    'http://[::1]:80/healthz',
  ])('answers to %s', async (url) => {
    expect(await ask(url)).toBe('ok')
  })

  it.each([
    'http://evil.test/healthz',
    'http://localhost.evil.test/healthz',
    'http://10.0.0.1/healthz',
    'http://127.0.0.1.evil.test/healthz',
    'http://[::2]/healthz',
    'http://0.0.0.0/healthz',
  ])('does not answer to %s', async (url) => {
    expect(await ask(url)).toBe(HOST)
  })

  it('does not answer to the Host header of another', async () => {
    expect(await ask('http://localhost/healthz', { host: 'evil.test' })).toBe(HOST)
    expect(await ask('http://evil.test/healthz', { host: 'localhost' })).toBe(HOST)
  })

  it.each([
    'localhost@evil.test',
    'evil.test#localhost',
    'localhost, evil.test',
    'localhost, localhost',
    'localhost evil.test',
    'localhost/evil',
    '[::1',
    '[zz]',
    '127.0.0.999',
    'localhost:99999',
    '',
    'localhost:80:80',
  ])('refuses the malformed Host header %j, whatever the hosts', async (host) => {
    for (const hosts of [undefined, ['localhost'], 'any'] as const) {
      expect(await ask('http://localhost/healthz', { host }, hosts)).toBe(BAD)
    }
  })

  it('refuses a URL that a server made of a malformed Host', async () => {
    const { app } = setUp()
    for (const url of ['http://127.0.0.1, localhost/healthz', 'http://a b/v1/encrypt']) {
      const request = Object.create(new Request(ORIGIN), {
        url: { value: url },
        method: { value: 'GET' },
        headers: { value: new Headers() },
        body: { value: null },
      }) as Request
      const answer = await app.fetch(request)
      expect(answer.status).toBe(400)
      expect(await codeIn(answer)).toBe(BAD)
    }
  })

  it('answers to the hosts that it was given', async () => {
    expect(await ask('http://kms.internal/healthz', {}, ['kms.internal'])).toBe('ok')
    expect(
      await ask('http://kms.internal:8787/healthz', { host: 'KMS.internal:8787' }, [
        'kms.internal',
      ]),
    ).toBe('ok')
    expect(await ask('http://localhost/healthz', {}, ['kms.internal'])).toBe('ok')
    expect(await ask('http://other.internal/healthz', {}, ['kms.internal'])).toBe(HOST)
    expect(await ask('http://other.internal/healthz', {}, 'any')).toBe('ok')
  })

  it.each(['cross-site', 'same-site', 'anything'])('refuses Sec-Fetch-Site: %s', async (site) => {
    expect(await ask(`${ORIGIN}/healthz`, { 'sec-fetch-site': site })).toBe(SITE)
    expect(await ask(`${ORIGIN}/healthz`, { 'sec-fetch-site': site }, 'any')).toBe(SITE)
  })

  it.each(['null', 'http://evil.test', 'http://127.0.0.1:3000', 'https://127.0.0.1:8787'])(
    'refuses Origin: %s',
    async (origin) => {
      expect(await ask(`${ORIGIN}/healthz`, { origin })).toBe(SITE)
      const { app, kms } = setUp()
      const answer = await app.fetch(post('/v1/encrypt', sequence(10), { origin }))
      expect(answer.status).toBe(403)
      expect(kms.calls).toBe(0)
    },
  )

  it.each([
    ['the same origin', { origin: ORIGIN, 'sec-fetch-site': 'same-origin' }],
    ['an address that was typed', { 'sec-fetch-site': 'none' }],
  ])('answers to %s', async (_, headers) => {
    expect(await ask(`${ORIGIN}/healthz`, headers)).toBe('ok')
  })
})
