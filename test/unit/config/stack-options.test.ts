// Each option of the stack, given as JSON, changes when which KMS is asked: seen from outside.
import { expect, it } from 'vitest'
import { toJSONSchema } from 'zod/mini'
import { resilientConfigSchema } from '../../../src/config/resilience.ts'
import { createResilientKms, type ResilientKmsConfig } from '../../../src/config/index.ts'
import { EnvelopeCipher, isKmsError } from '../../../src/index.ts'
import { createFakeAws } from '../../../adapters/fakes/index.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import type { AnyConfig } from './observe.ts'
import { type Json, schemaOptions } from './schema-paths.ts'

let now = (): number => Date.now()
const fake = createFakeAws({ now: () => now() })
const arns = [fake.createKey().arn, fake.createKey().arn]
const kms = arns.map((keyId) => ({
  provider: 'aws-kms',
  keyId,
  credentials: { type: 'static', ...fake.credentials },
}))

type Way = 'answers' | 'down' | 'throttles' | 'hangs' | 'first hangs' | 'second hangs' | 'flaky'

/** Everything that can be told apart from outside while a stack lives through good and bad times. */
async function live(config: AnyConfig): Promise<string> {
  const world = new FakeWorld()
  world.random = 0.5
  const startMs = world.nowMs
  now = () => world.nowMs
  const seen: unknown[] = []
  let way: Way = 'answers'
  let asked = 0
  const network = {
    after: (ms: number, callback: () => void) => world.after(ms, callback),
    jitter: () => world.jitter(),
    fetch: async (url: string, init: RequestInit) => {
      const second = typeof init.body === 'string' && init.body.includes(arns[1] ?? '?')
      seen.push([world.nowMs - startMs, second ? 'second' : 'first'])
      asked += 1
      if (way === 'hangs' || way === (second ? 'second hangs' : 'first hangs'))
        return new Promise<Response>(() => undefined)
      if (way === 'down' || (way === 'flaky' && asked % 2 === 0))
        return new Response('{}', { status: 503 })
      if (way === 'throttles')
        return new Response('{"__type":"ThrottlingException"}', { status: 400 })
      return fake.fetch(new Request(url, init))
    },
  }
  const repairs = {
    note: () => {
      seen.push('noted')
      return Promise.resolve()
    },
  }
  const attempt = async (work: () => Promise<unknown>): Promise<void> => {
    const outcome = await world.settled(
      work().then(
        () => 'done',
        (error: unknown) => (isKmsError(error) ? error.code : String(error)),
      ),
    )
    seen.push([world.nowMs - startMs, outcome])
  }
  try {
    const { kms: stack, keys } = createResilientKms(config as unknown as ResilientKmsConfig, {
      runtime: world,
      network,
      repairs,
      audit: { mode: 'closed', around: (inner) => inner },
    })
    const cipher = new EnvelopeCipher({ keys })
    const made: Uint8Array[] = []
    const encrypt = (tenant: string) => () =>
      cipher.encrypt(new Uint8Array(9), { context: { tenant } }).then((one) => made.push(one))
    const call = { context: { 'edge-kms:dk': 'salt.1' } }
    for (const tenant of ['a', 'b', 'a', 'a']) await attempt(encrypt(tenant))
    for (const ms of [50_000, 225_000, 75_000, 400_000]) {
      await world.advance(ms)
      await attempt(encrypt('a'))
    }
    const [first] = made
    way = 'down'
    for (const ms of [100_000, 250_000, 700_000]) {
      await world.advance(ms)
      await attempt(() => cipher.decrypt(first ?? new Uint8Array(1), { context: { tenant: 'a' } }))
      await attempt(encrypt('a'))
    }
    for (let i = 0; i < 14; i++) await attempt(() => stack.generateDataKey(call))
    await world.advance(60_000)
    way = 'answers'
    await Promise.all(Array.from({ length: 5 }, () => attempt(() => stack.generateDataKey(call))))
    way = 'throttles'
    for (let i = 0; i < 6; i++) await attempt(() => stack.generateDataKey(call))
    await world.advance(200_000)
    way = 'flaky'
    for (let i = 0; i < 20; i++) {
      await world.advance(200)
      await attempt(() => stack.generateDataKey(call))
    }
    await world.advance(200_000)
    way = 'answers'
    const held = await world.settled(stack.generateDataKey(call))
    const wraps = held.status === 'fulfilled' ? held.value.wraps : []
    way = 'first hangs'
    for (let i = 0; i < 3; i++) await attempt(() => stack.unwrapDataKey(wraps, call))
    way = 'second hangs'
    await attempt(() => stack.generateDataKey(call))
    way = 'hangs'
    const many = Array.from({ length: 80 }, () => attempt(() => stack.generateDataKey(call)))
    await world.advance(30_000)
    await Promise.all(many)
    await turn()
  } catch (error) {
    seen.push(isKmsError(error) ? error.message : String(error))
  }
  return JSON.stringify(seen)
}

const one = { kms: kms[0] }
const two = { kms }
it('lives the same life twice', async () => {
  expect(await live(one)).toBe(await live(one))
  expect(await live(two)).toBe(await live(two))
}, 60_000)
const rows: readonly [path: string, base: AnyConfig, change: unknown][] = [
  ['preset', one, 'development'],
  ['deadlineMs', one, 900],
  ['attemptTimeoutMs', one, 300],
  ['retry', one, false],
  ['retry.maxAttempts', one, 2],
  ['retry.baseDelayMs', one, 200],
  ['retry.throttleDelayMs', one, 300],
  ['retry.maxDelayMs', one, 60],
  ['retry.budget', one, 14],
  ['retry.retryCost', one, 300],
  ['retry.throttleCost', one, 400],
  ['circuitBreaker', one, false],
  ['circuitBreaker.failureThreshold', one, 3],
  ['circuitBreaker.failureRate', one, 1],
  ['circuitBreaker.windowMs', one, 1_000],
  ['circuitBreaker.minCalls', one, 1_000],
  ['circuitBreaker.resetTimeoutMs', one, 120_000],
  ['circuitBreaker.successThreshold', one, 3],
  ['bulkhead', one, { maxConcurrent: 2 }],
  ['bulkhead.maxConcurrent', one, 2],
  ['bulkhead.maxQueue', one, 3],
  ['bulkhead.maxWaitMs', one, 100],
  ['writePolicy', two, { quorum: 1 }],
  ['writePolicy.quorum', { ...two, writePolicy: { quorum: 1 } }, 2],
  ['writePolicy.graceMs', { ...two, writePolicy: { quorum: 1 } }, 50],
  ['order', { ...two, retry: false }, 'fastest'],
  ['hedge', two, { afterMs: 100 }],
  ['hedge.afterMs', { ...two, hedge: { afterMs: 100 } }, 900],
  ['hedge.budget', { ...two, hedge: { afterMs: 100 } }, 1],
  ['scopes', one, ['a', 'b']],
  ['cache', one, { ttlMs: 40_000 }],
  ['cache.ttlMs', one, 40_000],
  ['cache.maxEntries', one, 1],
  ['cache.refreshAheadMs', one, 0],
  ['cache.maxStaleMs', one, 86_400_000],
  ['cache.maxStaleWriteMs', one, 86_400_000],
  ['cache.encryptForMs', one, 40_000],
  ['cache.maxMessages', one, 1],
  ['cache.callTimeoutMs', one, 10],
  ['cache.maxWraps', two, 1],
  ['cache.requiredContextKeys', one, ['row']],
]
/** Of those that rows share. */
const lives = new Map<AnyConfig, string>()
it.each(rows)(
  'config: %s changes what is asked, when',
  async (path, base, value) => {
    const [name = '', inner] = path.split('.')
    const change = {
      ...base,
      [name]:
        inner === undefined ? value : { ...(base[name] as object | undefined), [inner]: value },
    }
    const without = lives.get(base) ?? (await live(base))
    lives.set(base, without)
    expect(await live(change)).not.toBe(without)
  },
  60_000,
)

it('and none is missing here', () => {
  const schema = toJSONSchema(resilientConfigSchema, { io: 'input' }) as unknown as Json
  // Options of stores are in stores.test.ts.
  const isOfOneKms =
    /^(?:local|aws-kms|gcp-kms|azure-key-vault|vault-transit|by-context|env|google-cloud-kms|kms|circuitStore|shared)\b/
  const paths = schemaOptions(schema).flatMap(({ path }) => (isOfOneKms.test(path) ? [] : [path]))
  expect(paths.filter((path) => !rows.some(([one]) => one === path))).toEqual([])
})
