// R38: something outside that never answers leaves no caller waiting, and nothing behind.
import { describe, expect, it } from 'vitest'
import { CachedKms, EnvelopeCipher, SecretBytes } from '../../../src/index.ts'
import { SingleFlight } from '../../../src/runtime/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { CONTEXT, NOW, OPTIONS, PlainKms, sequence } from '../wire/fixture.ts'
import { GatedKms, USE } from './fixture.ts'

const never = (): Promise<never> => new Promise(() => undefined)

function setUp(options: { readonly callTimeoutMs?: number; readonly ttlMs?: number } = {}) {
  const world = new FakeWorld()
  const kms = new GatedKms()
  const ports = { runtime: world, network: world }
  const keys = new CachedKms({ kms, ...ports, ...options })
  return { world, kms, ports, keys, cipher: new EnvelopeCipher({ keys }) }
}

describe('a KMS that never answers', () => {
  it.each([
    ['encrypt', (cipher: EnvelopeCipher) => cipher.encrypt(sequence(9), OPTIONS)],
    ['encryptMany', (cipher: EnvelopeCipher) => cipher.encryptMany([{ plaintext: sequence(9) }])],
  ])('ends %s after callTimeoutMs, 15 s by default', async (_, use) => {
    for (const [options, boundMs] of [
      [{}, 15_000],
      [{ callTimeoutMs: 300 }, 300],
    ] as const) {
      const { world, kms, cipher } = setUp(options)
      kms.open = false
      let ended = false
      const settle = (): void => void (ended = true)
      const work = use(cipher)
      work.then(settle, settle)
      await world.advance(boundMs - 1)
      expect(ended).toBe(false)
      await world.advance(1)
      expect(ended).toBe(true)
      const said = await work.then(JSON.stringify, (error: unknown) => JSON.stringify(error))
      expect(said).toContain('ERR_KMS_TIMEOUT')
      expect(world.timers).toBe(0)
    }
  })

  it('leaves a key in constant use to be served stale, without a wait', async () => {
    const { world, kms, cipher, keys } = setUp()
    const envelope = await cipher.encrypt(sequence(9), OPTIONS)
    kms.open = false
    // Past its TTL and within maxStaleMs: each use is answered in its own turn.
    for (let ms = 0; ms < 355_000; ms += 1_000) {
      await world.advance(1_000)
      expect(await cipher.decrypt(envelope, OPTIONS)).toEqual(sequence(9))
      expect(await cipher.encrypt(sequence(9), OPTIONS)).toBeDefined()
    }
    const { staleDecrypts, staleEncrypts } = keys.stats()
    expect(staleDecrypts).toBeGreaterThan(50)
    expect(staleEncrypts).toBeGreaterThan(50)
    // And no longer than that.
    await world.advance(10_000)
    const late = cipher.decrypt(envelope, OPTIONS).catch((error: unknown) => error)
    await world.advance(15_000)
    expect(await late).toMatchObject({ code: 'ERR_KMS_TIMEOUT' })
  })
})

describe('a data-key store that never answers', () => {
  it.each(['putIfAbsent', 'get'] as const)('ends an encrypt by reference: %s', async (method) => {
    const { world, kms, ports } = setUp()
    const dataKeyStore = Object.assign(new MemoryDataKeyStore(), { [method]: never })
    const cipher = new EnvelopeCipher({ kms, dataKeyStore, ...ports, callTimeoutMs: 400 })
    const work = cipher
      .encrypt(sequence(9), { ...OPTIONS, form: 'reference' })
      .catch((error: unknown) => error)
    await world.advance(400)
    expect(await work).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', retryable: true })
    expect(world.timers).toBe(0)
  })
})

describe('a flight whose leader never settles', () => {
  it('is forgotten after three waits of a follower, and there are at most 1,024', () => {
    const world = new FakeWorld()
    const flights = new SingleFlight<number>(world, 2_000, world)
    for (let i = 0; i < 40; i += 1) void flights.run(String(i), never, {})
    expect(flights.size).toBe(40)
    world.nowMs += 6_000
    expect(flights.size).toBe(0)
    for (let i = 0; i < 3_000; i += 1) void flights.run(String(i), never, {})
    expect(flights.size).toBe(1_024)
  })

  it('holds at most 4 Mi characters of keys', () => {
    const world = new FakeWorld()
    const flights = new SingleFlight<number>(world, 2_000, world)
    const long = 'x'.repeat(100_000)
    for (let i = 0; i < 100; i += 1) void flights.run(long + String(i), never, {})
    expect(flights.size).toBe(41)
  })
})

describe('maxMessages', () => {
  /** How often the clock is read stands for the work. */
  async function workFor(messages: number): Promise<number> {
    const kms = new PlainKms()
    let reads = 0
    const runtime = {
      now: () => ((reads += 1), NOW),
      randomFill: (bytes: Uint8Array<ArrayBuffer>) => crypto.getRandomValues(bytes),
    }
    const keys = new CachedKms({ kms, runtime, maxMessages: 1 })
    const active = Array.from({ length: messages }, async () => keys.active(CONTEXT, USE))
    const made = new Set(await Promise.all(active))
    expect(made.size).toBe(messages)
    expect(kms.calls).toHaveLength(messages)
    return reads
  }

  it('used up by thousands at once takes linear work', async () => {
    const [few, many] = [await workFor(500), await workFor(4_000)]
    expect(many / few).toBeLessThan(9)
  })
})

describe('a wrap that opens to what no data key can be', () => {
  it.each([0, 1, 16, 31, 33, 64, 'zeros'] as const)(
    'costs one KMS call in ten seconds, by the KMS alone and cached: %s',
    async (what) => {
      for (const maxEntries of [1_000, 0]) {
        const world = new FakeWorld()
        const kms = new PlainKms()
        const writer = new EnvelopeCipher({ kms })
        const envelope = await writer.encrypt(sequence(9), OPTIONS)
        const bytes = what === 'zeros' ? new Uint8Array(32) : sequence(what)
        let calls = 0
        const unwrap = kms.unwrapDataKey.bind(kms)
        kms.unwrapDataKey = async (wraps, options) => {
          calls += 1
          const answer = await unwrap(wraps, options)
          return { ...answer, plaintext: SecretBytes.copy(bytes) }
        }
        const cipher = new EnvelopeCipher({
          keys: new CachedKms({ kms, maxEntries, runtime: world, network: world }),
        })
        for (let i = 0; i < 100; i += 1) {
          const code = await cipher.decrypt(envelope, OPTIONS).catch((error: unknown) => error)
          expect(code).toMatchObject({ code: 'ERR_DECRYPT_FAILED' })
        }
        expect(calls).toBe(1)
        world.nowMs += 10_000
        await cipher.decrypt(envelope, OPTIONS).catch(() => undefined)
        expect(calls).toBe(2)
      }
    },
  )
})
