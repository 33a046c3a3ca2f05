import { describe, expect, it } from 'vitest'
import {
  CachedKms,
  type DataEncryptionKey,
  type KmsCacheConfig,
  KmsError,
} from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { dataKeyStoreKey, encodeKeyHeader } from '../../../src/wire/index.ts'
import { CONTEXT, sequence } from '../wire/fixture.ts'
import {
  codeOf,
  distinctRuntime,
  foreign,
  GatedKms,
  ManualNetwork,
  settled,
  USE,
} from './fixture.ts'

interface World {
  readonly kms: GatedKms
  readonly network: ManualNetwork
  readonly cache: CachedKms
}

function setUp(options: KmsCacheConfig & { readonly maxMessages?: number } = {}): World {
  const kms = new GatedKms()
  const network = new ManualNetwork()
  const cache = new CachedKms({ kms, runtime: distinctRuntime(), network, ...options })
  return { kms, network, cache }
}

type Ask = (options?: { signal?: AbortSignal }) => Promise<DataEncryptionKey>

/** The two misses there are: a writer's and a reader's. */
const MISSES: Readonly<Record<string, (world: World) => Promise<Ask>>> = {
  active: async ({ cache }) => {
    return async (options = {}) => cache.active(CONTEXT, { ...USE, ...options })
  },
  open: async ({ cache, kms }) => {
    const header = await foreign(kms)
    return async (options = {}) => cache.open(header, CONTEXT, options)
  },
}

const thousand = <T>(work: () => T): T[] => Array.from({ length: 1_000 }, work)

describe.each(Object.entries(MISSES))('many at once miss: %s', (_, miss) => {
  it('R15 1,000 concurrent misses cost 1 KMS call, and leave no timer', async () => {
    const world = setUp()
    const ask = await miss(world)
    const keys = await Promise.all(thousand(() => ask()))
    expect(new Set(keys).size).toBe(1)
    expect(world.kms.begun).toHaveLength(1)
    expect(world.network.timers.size).toBe(0)
  })

  it('R15 of 1,000 whose leader never settles, one makes the next call and the others have its answer', async () => {
    const world = setUp()
    const ask = await miss(world)
    world.kms.open = false
    const dead = ask()
    const rest = thousand(() => ask())
    await settled()
    world.kms.open = true
    world.network.fire()
    expect(new Set(await Promise.all(rest)).size).toBe(1)
    expect(world.kms.begun).toHaveLength(2)
    world.kms.release()
    await dead
  })

  it('R16 one waiter that gives up ends neither the call nor the wait of the others', async () => {
    for (const quitter of [0, 1]) {
      const world = setUp()
      const ask = await miss(world)
      world.kms.open = false
      const abort = new AbortController()
      const callers = [0, 1, 2].map((i) => ask(i === quitter ? { signal: abort.signal } : {}))
      await settled()
      abort.abort(new Error('gone'))
      await expect(callers[quitter]).rejects.toBe(abort.signal.reason)
      expect(world.kms.signals.at(-1)?.aborted).toBe(false)
      world.kms.release()
      await Promise.all(callers.filter((_caller, i) => i !== quitter))
      expect(world.kms.begun).toHaveLength(1)
    }
  })

  it('R21 a caller that is alone takes its call with it', async () => {
    const world = setUp()
    const ask = await miss(world)
    world.kms.open = false
    const abort = new AbortController()
    const pending = ask({ signal: abort.signal })
    await settled()
    abort.abort(new Error('gone'))
    await expect(pending).rejects.toBe(abort.signal.reason)
    expect(world.kms.signals.at(-1)?.reason).toBe(abort.signal.reason)
    world.kms.open = true
    await ask() // and nobody joins the call that was given up
    expect(world.kms.begun).toHaveLength(2)
  })

  it('R16 a failure is shared by those who wait, and not cached', async () => {
    const world = setUp()
    const ask = await miss(world)
    world.kms.error = new KmsError('ERR_KMS_UNAVAILABLE')
    const codes = await Promise.all(thousand(() => codeOf(() => ask())))
    expect(new Set(codes)).toEqual(new Set(['ERR_KMS_UNAVAILABLE']))
    expect(world.kms.begun).toHaveLength(1)
    world.kms.error = undefined
    await ask()
    expect(world.kms.begun).toHaveLength(2)
  })

  it('W5.7 nobody joins a call from before a clear', async () => {
    const world = setUp()
    const ask = await miss(world)
    world.kms.open = false
    const before = ask()
    await settled()
    world.cache.clear()
    world.kms.open = true
    const after = await ask()
    world.kms.release()
    // A writer does not use the key of before either: it takes the one of after (R13).
    const late = await before
    if (world.kms.begun[0] === 'generate') expect(late).toBe(after)
    else expect(late).not.toBe(after)
    expect(world.kms.begun).toHaveLength(2)
  })

  it('nobody joins a call from before an invalidation, and what it brings is not held', async () => {
    for (const what of [{}, { context: CONTEXT }]) {
      const world = setUp()
      const ask = await miss(world)
      world.kms.open = false
      const before = ask()
      await settled()
      await world.cache.invalidate(what)
      world.kms.open = true
      const asked = ask()
      await settled()
      world.kms.release()
      await before
      const after = await asked
      expect(world.kms.begun).toHaveLength(2)
      expect(await ask()).toBe(after)
      await world.cache.invalidate(what)
      expect(await ask()).not.toBe(after)
    }
  })
})

describe('a clear during an encrypt', () => {
  it('W5.7 the encrypt takes a new data key, whatever its call waited for', async () => {
    for (const maxEntries of [0, 1_000]) {
      const { cache, kms } = setUp({ maxEntries })
      kms.open = false
      const pending = Promise.resolve(cache.active(CONTEXT, USE))
      for (let clears = 0; clears < 4; clears += 1) {
        await settled()
        cache.clear()
        kms.release()
      }
      await settled()
      kms.release()
      expect((await pending).generation.ended).toBe(false)
      expect(kms.begun).toHaveLength(5)
    }
  })

  it('W5.7 the encrypt takes a new data key if its record is being written', async () => {
    const kms = new GatedKms()
    const store = new MemoryDataKeyStore()
    const put = store.putIfAbsent.bind(store)
    const writes: (() => void)[] = []
    store.putIfAbsent = async (...record) => {
      await new Promise<void>((resolve) => writes.push(resolve))
      return put(...record)
    }
    const cache = new CachedKms({ kms, runtime: distinctRuntime(), dataKeyStore: store })
    const pending = Promise.resolve(cache.active(CONTEXT, { durable: true }))
    while (writes.length < 1) await settled()
    cache.clear()
    writes[0]?.()
    while (writes.length < 2) await settled()
    writes[1]?.()
    const key = await pending
    expect(key.generation.ended).toBe(false)
    expect(await store.get(dataKeyStoreKey(key.header.commitment))).toBeDefined()
    expect(kms.begun).toEqual(['generate', 'generate'])
  })
})

describe('what a shared data key is enough for', () => {
  it.each([1, 100, 10_000])('R19 at reuse %i, whoever comes at once', async (maxMessages) => {
    const { kms, cache } = setUp({ maxMessages })
    const keys = await Promise.all(
      Array.from({ length: 10_000 }, async () => cache.active(CONTEXT, USE)),
    )
    // Two keys are shared; those who find both used up make one each, so the work stays linear.
    expect(kms.begun.length).toBe(
      2 + Math.max(0, 10_000 - 2 * maxMessages) - Number(maxMessages === 10_000),
    )
    const uses = new Map<DataEncryptionKey, number>()
    for (const key of keys) uses.set(key, (uses.get(key) ?? 0) + 1)
    expect(Math.max(...uses.values())).toBe(maxMessages)
  })

  // Reuse 1 derives a million keys: that one, and a million real encrypts of each, is test/scale/reuse.ts.
  it.each([100, 10_000])('R19 1,000,000 encrypts at reuse %i', async (maxMessages) => {
    const { kms, cache } = setUp({ maxMessages })
    let keys = 0
    for (let i = 0; i < 1_000_000; i += 1) {
      const key = cache.active(CONTEXT, USE)
      if (key instanceof Promise) {
        await key
        keys += 1
      }
    }
    expect([kms.begun.length, keys]).toEqual([1_000_000 / maxMessages, 1_000_000 / maxMessages])
  })
})

it('R15 wraps that were tampered with do not fail for those who have the right ones', async () => {
  const { kms, cache } = setUp()
  const header = await foreign(kms)
  const wraps = header.wraps.map((wrap) => ({ ...wrap, wrapped: sequence(32, 9) }))
  const junk = encodeKeyHeader(header, wraps)
  const outcomes = await Promise.all([
    codeOf(() => cache.open(junk, CONTEXT, {})),
    codeOf(() => cache.open(header, CONTEXT, {})),
  ])
  expect(outcomes).toEqual(['ERR_DECRYPT_FAILED', undefined])
})
