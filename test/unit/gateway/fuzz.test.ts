import { describe, expect, it } from 'vitest'
import { bytesOf, MAPS, OPTIONS, ORIGIN, post, postSized, sequence, setUp } from './fixture.ts'

const REQUESTS = 10_000
const SEED = 20_261_203

const METHODS = ['POST', 'POST', 'POST', 'POST', 'GET', 'HEAD', 'PUT', 'OPTIONS', 'DELETE', 'X']
const PATHS = ['/v1/encrypt', '/v1/decrypt', '/v1/rewrap', '/v1/inspect', '/healthz', '/readyz']
const ODD_PATHS = ['/', '/metrics', '/v1', '/v1/encrypt/', '//', '/%', '/%zz', '/%00', '/..', '/?']
const NAMES = [
  ...['Edge-Kms-Context', 'Edge-Kms-Aad', 'Edge_Kms_Context', 'Edge-Kms-', 'Host', 'Origin'],
  ...['Content-Length', 'Transfer-Encoding', 'Sec-Fetch-Site', 'Expect', 'Content-Type', 'Range'],
]
const VALUES = [
  ...['{"tenant":"acme"}', '{"a":"b"}', '{', '{}', '[]', 'null', '"', '{"a":"1","a":"2"}'],
  ...['{"__proto__":"x"}', '{"a":"\\ud800"}', '{"a":{"b":{}}}', '', ' ', '\t', '\u00ff', '0', '10'],
  ...['1000000', '-1', '1e3', 'chunked', 'localhost', 'evil.test', 'a b', '[', 'null', '127.0.0.1'],
  ...['http://127.0.0.1:8787', 'same-origin', 'cross-site', ORIGIN, '{"a":"'.padEnd(70_000, 'x')],
]

/** A small seeded generator (mulberry32). */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
}

/** A request that a broken or hostile client could send, and its description. */
function randomRequest(random: Random, bodies: readonly Uint8Array[]): [Request, string] {
  const method = random.pick(METHODS)
  const path = random.below(8) === 0 ? random.pick(ODD_PATHS) : random.pick(PATHS)
  const headers = new Headers(random.below(2) === 0 ? MAPS : {})
  for (let i = random.below(4); i > 0; i--) {
    const change = random.below(2) === 0 ? 'set' : 'append'
    headers[change](random.pick(NAMES), random.pick(VALUES))
  }
  const carries = method !== 'GET' && method !== 'HEAD' && random.below(8) > 0
  const body = carries ? damaged(random, random.pick(bodies)) : null
  const init = { method, headers, body: body && streamOf(random, body), duplex: 'half' }
  const text = `${method} ${path} ${JSON.stringify([...headers]).slice(0, 500)}`
  return [new Request(`${ORIGIN}${path}`, init), text]
}

function damaged(random: Random, body: Uint8Array): Uint8Array {
  const copy = body.slice(0, random.below(3) === 0 ? random.below(body.length + 1) : undefined)
  for (let i = random.below(4); i > 0 && copy.length > 0; i--) {
    copy[random.below(Math.min(copy.length, 400))]! ^= 1 << random.below(8)
  }
  return copy
}

/** A request for each answer that a client can cause; none depends on the seed. */
function fixedRequests(bodies: Bodies): readonly (readonly [number, () => Request])[] {
  const { record, stream, tooLarge } = bodies
  return [
    [200, () => postSized('/v1/decrypt', stream)],
    [400, () => postSized('/v1/decrypt', sequence(40))],
    [403, () => postSized('/v1/decrypt', stream, { ...MAPS, Origin: 'http://evil.test' })],
    [404, () => postSized('/v1/nothing', stream)],
    [405, () => new Request(`${ORIGIN}/v1/decrypt`)],
    [413, () => postSized('/v1/decrypt', tooLarge)],
    [421, () => postSized('/v1/decrypt', stream, { ...MAPS, Host: 'evil.test' })],
    [422, () => postSized('/v1/decrypt', record, {})],
  ]
}

interface Bodies {
  readonly record: Uint8Array<ArrayBuffer>
  readonly stream: Uint8Array<ArrayBuffer>
  readonly tooLarge: Uint8Array<ArrayBuffer>
}

/** In pieces, sometimes with a failure instead of one. */
function streamOf(random: Random, body: Uint8Array): ReadableStream<Uint8Array> {
  const size = 1 + random.below(40_000)
  const failsAt = random.below(10) === 0 ? random.below(4) : -1
  let piece = 0
  return new ReadableStream({
    pull(controller): void {
      const at = piece * size
      if (piece++ === failsAt) controller.error(new Error('at file:///the/client.ts:1:1'))
      else if (at >= body.length) controller.close()
      else controller.enqueue(body.slice(at, at + size))
    },
  })
}

describe('fuzzed requests', () => {
  it('each answer that a client can cause is reached by a request that no seed decides', async () => {
    const { app, cipher } = setUp()
    const record = await cipher.encrypt(sequence(100), OPTIONS)
    const tooLarge = new Uint8Array(record.length + 1_048_577)
    tooLarge.set(record)
    const stream = await bytesOf(await app.fetch(postSized('/v1/encrypt', sequence(100))))
    for (const [status, make] of fixedRequests({ record, stream, tooLarge }))
      expect((await app.fetch(make())).status).toBe(status)
  })

  it(`${String(REQUESTS)} give no 5xx, no stack and no unhandled rejection`, async () => {
    const { app, cipher } = setUp()
    const random = new Random(SEED)
    const bodies = [
      sequence(0),
      sequence(40_000),
      await cipher.encrypt(sequence(100), OPTIONS),
      await cipher.encrypt(sequence(100)),
      await bytesOf(await app.fetch(post('/v1/encrypt', sequence(100)))),
      await bytesOf(await app.fetch(post('/v1/encrypt', sequence(40_000), {}))),
    ]
    const statuses = new Map<number, number>()
    for (let i = 0; i < REQUESTS; i++) {
      const [request, text] = randomRequest(random, bodies)
      const answer = await app.fetch(request)
      const label = `request ${String(i)}: ${text}`
      expect(answer.status, label).toBeLessThan(500)
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      const shown = await answer.text().catch(() => '') // an answer may break off
      if (answer.status < 400) continue
      expect(shown, label).not.toMatch(/\bat \S+:\d+:\d+|node_modules|\.ts\b|client/)
      if (request.method !== 'HEAD') expect(JSON.parse(shown), label).toHaveProperty('code')
    }
    // With any seed, half of the requests have maps that fit, and paths and methods that exist.
    for (const status of [200, 400]) expect(statuses.get(status), String(status)).toBeGreaterThan(0)
  }, 120_000)
})
