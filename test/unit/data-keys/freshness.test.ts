import { describe, expect, it } from 'vitest'
import {
  CachedKms,
  CircuitBreakerKms,
  type DataEncryptionKey,
  EnvelopeCipher,
  type KmsCacheConfig,
  type DataKeyOptions,
  KmsError,
  type KmsErrorCode,
} from '../../../src/index.ts'
import { CONTEXT, NOW, OPTIONS, PlainKms, sequence } from '../wire/fixture.ts'
import {
  codeOf,
  distinctRuntime,
  foreign,
  GatedKms,
  ManualNetwork,
  settled,
  USE,
} from './fixture.ts'

const TTL = 300_000
const STALE = 60_000
/** With no jitter a use asks again from here on. */
const AHEAD = TTL - TTL / 5

const OUTAGES = ['ERR_KMS_UNAVAILABLE', 'ERR_KMS_TIMEOUT', 'ERR_KMS_THROTTLED'] as const
const VERDICTS = ['ERR_KMS_ACCESS_DENIED', 'ERR_KMS_KEY_DISABLED', 'ERR_KMS_KEY_NOT_FOUND'] as const

function setUp(options: KmsCacheConfig & Partial<DataKeyOptions> = {}) {
  const kms = new GatedKms()
  const network = new ManualNetwork()
  const runtime = distinctRuntime()
  const cache = new CachedKms({ kms, runtime, network, ...options })
  const at = (ms: number): void => {
    runtime.nowMs = NOW + ms
  }
  const fail = (code: KmsErrorCode | undefined): void => {
    kms.error = code && new KmsError(code)
  }
  return { kms, network, runtime, cache, at, fail }
}

type World = ReturnType<typeof setUp>
type Use = (defer?: (work: Promise<unknown>) => void) => Promise<DataEncryptionKey>

/** The two uses of a held key: the first call of each asks the KMS. */
const SIDES: Readonly<Record<'encrypt' | 'decrypt', (world: World) => Promise<Use>>> = {
  encrypt: async ({ cache }) => {
    return async (defer) => cache.active(CONTEXT, { ...USE, defer })
  },
  decrypt: async ({ cache, kms }) => {
    const header = await foreign(kms)
    return async (defer) => cache.open(header, CONTEXT, { defer })
  },
}
const EACH = Object.entries(SIDES)

describe.each(EACH)('R17 refresh ahead: %s', (_, side) => {
  it('asks the KMS in the background and once, and the answer begins another TTL', async () => {
    const world = setUp()
    const use = await side(world)
    const first = await use()
    world.at(AHEAD - 1)
    await use()
    expect(world.kms.begun).toHaveLength(1)
    world.at(AHEAD)
    world.kms.open = false
    const deferred: Promise<unknown>[] = []
    for (let i = 0; i < 3; i += 1) {
      expect(await use((work) => deferred.push(work))).toBe(first)
    }
    await settled()
    expect([world.kms.begun.length, deferred.length]).toEqual([2, 1])
    world.kms.open = true
    world.kms.release()
    await Promise.all(deferred)
    world.at(AHEAD + TTL / 2)
    expect(await use()).not.toBe(first)
    expect(world.kms.begun).toHaveLength(2)
    expect(world.cache.stats().refreshes).toBe(1)
  })

  it('is spread over half of the time that it is ahead', async () => {
    const world = setUp()
    world.network.jitterValue = 0.999
    const use = await side(world)
    await use()
    world.at(AHEAD + TTL / 10 - 1_000)
    await use()
    expect(world.kms.begun).toHaveLength(1)
    world.at(AHEAD + TTL / 10)
    await use()
    await settled()
    expect(world.kms.begun).toHaveLength(2)
  })

  it('is tried again after a while, and not before', async () => {
    const world = setUp()
    const use = await side(world)
    await use()
    world.fail('ERR_KMS_UNAVAILABLE')
    for (const [ms, calls] of [
      [0, 2],
      [4_999, 2],
      [5_000, 3],
    ] as const) {
      world.at(AHEAD + ms)
      await use()
      await settled()
      expect(world.kms.begun).toHaveLength(calls)
    }
  })

  it.each(VERDICTS)('drops the key at once where the KMS says %s', async (code) => {
    const world = setUp()
    const use = await side(world)
    await use()
    world.at(AHEAD)
    world.fail(code)
    await use()
    await settled()
    expect(await codeOf(() => use())).toBe(code)
    expect(world.cache.stats()).toMatchObject({ revocations: 1 })
  })

  it('can be turned off', async () => {
    const world = setUp({ refreshAheadMs: 0 })
    const use = await side(world)
    await use()
    world.at(TTL - 1)
    await use()
    expect(world.kms.begun).toHaveLength(1)
  })

  it('holds no key of before a clear', async () => {
    const world = setUp()
    const use = await side(world)
    await use()
    world.at(AHEAD)
    world.kms.open = false
    await use()
    world.cache.clear()
    world.kms.release()
    await settled()
    expect(world.cache.stats().entries).toBe(0)
  })
})

describe.each(EACH)('R17 stale while the KMS is down: %s', (side, begin) => {
  const stale = side === 'encrypt' ? 'staleEncrypts' : 'staleDecrypts'

  it.each(OUTAGES)('serves within maxStale and not after: %s', async (code) => {
    const world = setUp()
    const use = await begin(world)
    const first = await use()
    world.fail(code)
    world.at(TTL)
    expect(await use()).toBe(first)
    world.at(TTL + STALE - 1)
    expect(await use()).toBe(first)
    expect(world.cache.stats()).toMatchObject({ [stale]: 2 })
    world.at(TTL + STALE)
    expect(await codeOf(() => use())).toBe(code)
  })

  it.each([...VERDICTS, 'ERR_KMS_RESPONSE_INVALID', 'ERR_KMS_UNAUTHENTICATED'] as const)(
    'serves nothing where the KMS answers %s, and nothing after a verdict',
    async (code) => {
      const world = setUp()
      const use = await begin(world)
      await use()
      world.at(TTL)
      world.fail(code)
      expect(await codeOf(() => use())).toBe(code)
      world.fail('ERR_KMS_UNAVAILABLE')
      world.at(TTL + 10_000) // past the memory of headers that failed
      const evicted = VERDICTS.some((verdict) => verdict === code)
      expect(await codeOf(() => use())).toBe(evicted ? 'ERR_KMS_UNAVAILABLE' : undefined)
    },
  )

  it('asks before it serves, and then not each caller waits for the KMS', async () => {
    const world = setUp()
    const use = await begin(world)
    const first = await use()
    world.at(TTL)
    world.fail('ERR_KMS_TIMEOUT')
    await use()
    expect(world.kms.begun).toHaveLength(2)
    world.kms.open = false
    for (let i = 0; i < 100; i += 1) expect(await use()).toBe(first)
    await settled()
    expect(world.kms.begun).toHaveLength(3) // in the background
  })

  it('asks nothing in the background where that is turned off', async () => {
    const world = setUp({ refreshAheadMs: 0 })
    const use = await begin(world)
    const first = await use()
    world.at(TTL)
    world.fail('ERR_KMS_UNAVAILABLE')
    await use()
    world.at(TTL + 9_999)
    expect(await use()).toBe(first)
    await settled()
    expect(world.kms.begun).toHaveLength(2)
    expect(world.cache.stats()).toMatchObject({ [stale]: 2, refreshes: 0 })
  })

  it('ends with the outage', async () => {
    const world = setUp()
    const use = await begin(world)
    const first = await use()
    world.at(TTL)
    world.fail('ERR_KMS_UNAVAILABLE')
    await use()
    world.fail(undefined)
    world.at(TTL + 10_000)
    expect(await use()).not.toBe(first)
  })

  it('has a bound of its own for this side', async () => {
    const world = setUp(side === 'encrypt' ? { maxStaleWriteMs: 0 } : { maxStaleMs: 0 })
    const other = await SIDES[side === 'encrypt' ? 'decrypt' : 'encrypt'](world)
    await other()
    const use = await begin(world)
    await use()
    world.at(TTL)
    world.fail('ERR_KMS_UNAVAILABLE')
    expect(await codeOf(() => use())).toBe('ERR_KMS_UNAVAILABLE')
    expect(await codeOf(() => other())).toBeUndefined()
  })
})

it('R17 encrypts with a stale key never past encryptFor', async () => {
  const world = setUp({ encryptForMs: TTL + 10_000 })
  await world.cache.active(CONTEXT, USE)
  world.fail('ERR_KMS_UNAVAILABLE')
  world.at(TTL + 9_999)
  await world.cache.active(CONTEXT, USE)
  world.at(TTL + 10_000)
  expect(await codeOf(() => world.cache.active(CONTEXT, USE))).toBe('ERR_KMS_UNAVAILABLE')
})

it('R17 many messages at once: those that are held are read while the KMS is down', async () => {
  const world = setUp()
  const header = await foreign(world.kms)
  const unknown = await foreign(world.kms, { tenant: 'other' })
  const key = await world.cache.open(header, CONTEXT, {})
  world.at(TTL)
  world.fail('ERR_KMS_THROTTLED')
  const requests = [
    { header, context: CONTEXT },
    { header: unknown, context: { tenant: 'other' } },
    { header, context: { tenant: 'other' } },
  ]
  const outcomes = await world.cache.openMany(requests, {})
  expect(outcomes[0]).toEqual({ ok: true, value: key })
  expect(outcomes.slice(1).map((outcome) => outcome.ok)).toEqual([false, false])
})

it('R17 revocation reaches decrypts within ttl + maxStale, whatever the KMS does in between', async () => {
  for (const downAt of [0, AHEAD, TTL - 1]) {
    const world = setUp()
    const cipher = new EnvelopeCipher({ keys: world.cache, runtime: world.runtime })
    const envelope = await cipher.encrypt(sequence(3), OPTIONS)
    let last = 0
    for (let ms = 0; ms <= 2 * (TTL + STALE); ms += 1_000) {
      world.at(ms)
      world.fail(ms >= downAt ? 'ERR_KMS_UNAVAILABLE' : 'ERR_KMS_KEY_DISABLED')
      if ((await codeOf(() => cipher.decrypt(envelope, OPTIONS))) === undefined) last = ms
    }
    expect(last).toBeLessThan(TTL + STALE)
  }
})

it('R17 a reader does not see an outage of 60 s, whenever it begins', async () => {
  for (let begin = 0; begin < TTL + STALE; begin += 7_000) {
    const world = setUp()
    const cipher = new EnvelopeCipher({ keys: world.cache, runtime: world.runtime })
    const envelope = await cipher.encrypt(sequence(3), OPTIONS)
    for (let ms = 0; ms <= TTL + 3 * STALE; ms += 500) {
      world.at(ms)
      world.fail(ms >= begin && ms < begin + 60_000 ? 'ERR_KMS_UNAVAILABLE' : undefined)
      await cipher.decrypt(envelope, OPTIONS)
    }
  }
})

it('R17 nor one in which the KMS does not even say that it is down: no use waits', async () => {
  const limitMs = 5_000 // of a call: then it is a timeout
  let inVain = 0
  for (const begin of [0, AHEAD - limitMs, AHEAD, AHEAD + limitMs, TTL - 1_000]) {
    const world = setUp()
    const { kms, cache } = world
    const header = await foreign(kms)
    await cache.open(header, CONTEXT, {})
    await cache.active(CONTEXT, USE)
    let asked = 0
    const timeouts = new Set<number>()
    const behind: Promise<unknown>[] = []
    const defer = (work: Promise<unknown>): unknown => behind.push(work)
    for (let ms = 0; ms <= TTL + 2 * STALE; ms += 500) {
      world.at(ms)
      kms.open = ms < begin || ms >= begin + 60_000
      if (timeouts.delete(ms)) {
        world.fail('ERR_KMS_TIMEOUT')
        kms.release()
        await settled()
        world.fail(undefined)
      }
      expect(cache.open(header, CONTEXT, { defer }), String(ms)).not.toBeInstanceOf(Promise)
      expect(cache.active(CONTEXT, { ...USE, defer }), String(ms)).not.toBeInstanceOf(Promise)
      if (kms.open && timeouts.size === 0) await Promise.all(behind.splice(0))
      const { refreshes } = cache.stats()
      if (refreshes === asked) continue
      asked = refreshes
      if (kms.open) continue
      await settled() // the calls are on their way
      inVain += 1
      timeouts.add(ms + limitMs)
    }
    expect(asked, 'both keys were renewed').toBeGreaterThanOrEqual(2)
  }
  expect(inVain).toBeGreaterThan(20)
})

it('R17 serves what is held while a breaker is open, and no longer than it may', async () => {
  const kms = new GatedKms()
  const network = new ManualNetwork()
  const runtime = distinctRuntime()
  const circuit = { failureThreshold: 1, resetTimeoutMs: 600_000 }
  const stack = new CircuitBreakerKms({ kms, ...circuit, runtime, network })
  const cache = new CachedKms({ kms: stack, runtime, network, refreshAheadMs: 0 })
  const header = await foreign(kms)
  const key = await cache.open(header, CONTEXT, {})
  const own = await cache.active(CONTEXT, USE)
  kms.error = new KmsError('ERR_KMS_UNAVAILABLE')
  for (const context of [{ tenant: 'a' }, { tenant: 'b' }]) {
    await codeOf(() => cache.active(context, USE))
    await codeOf(async () => cache.open(await foreign(new PlainKms(), context), context, {}))
  }
  kms.begun.length = 0
  kms.error = undefined // the KMS is well again, and nobody asks it
  runtime.nowMs = NOW + TTL + STALE - 1
  expect(await cache.open(header, CONTEXT, {})).toBe(key)
  expect(await cache.active(CONTEXT, USE)).toBe(own)
  runtime.nowMs = NOW + TTL + STALE
  expect(await codeOf(() => cache.open(header, CONTEXT, {}))).toBe('ERR_KMS_UNAVAILABLE')
  expect(await codeOf(() => cache.active(CONTEXT, USE))).toBe('ERR_KMS_UNAVAILABLE')
  expect(kms.begun).toEqual([])
})
