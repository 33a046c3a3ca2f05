// Stores in a configuration: which options there are, that their bounds are those of the parts, and what they change.
import { toJSONSchema } from 'zod/mini'
import { describe, expect, it } from 'vitest'
import { createResilientKms, type ResilientKmsConfig } from '../../../src/config/index.ts'
import { resilientConfigSchema } from '../../../src/config/resilience.ts'
import { SHARED_OPTIONS } from '../../../src/data-keys/shared/defaults.ts'
import { sharedDataKeys } from '../../../src/data-keys/shared/index.ts'
import { EnvelopeCipher, isKmsError } from '../../../src/index.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { MemoryKeyValues } from '../../support/memory-key-values.ts'
import { hang } from '../../support/scripted-kms.ts'
import { type Json, schemaOptions } from './schema-paths.ts'

const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')
const kms = { provider: 'local', versions: [{ version: 1, key }] }
const shared = { store: { binding: 'STORE' }, partition: 'p', trustedStore: true }

/** A stack in a world of its own, over one store. */
function stackOf(config: object, capabilities: Partial<MemoryKeyValues['capabilities']> = {}) {
  const world = new FakeWorld()
  const store = new MemoryKeyValues(() => world.now(), capabilities)
  const { runtime, network } = world.ports
  const options = { runtime, network, bindings: { STORE: store } }
  const made = createResilientKms({ kms, ...config } as ResilientKmsConfig, options)
  return { world, store, ...made, cipher: new EnvelopeCipher({ keys: made.keys }) }
}

function saidOf(make: () => unknown): string {
  try {
    make()
    return 'made'
  } catch (error) {
    if (isKmsError(error, 'ERR_KMS_CONFIG')) return error.message
    throw error
  }
}

it('the options of stores are those that are tested here', () => {
  const schema = toJSONSchema(resilientConfigSchema, { io: 'input' }) as unknown as Json
  const paths = schemaOptions(schema).map(({ path }) => path)
  const times = Object.keys(SHARED_OPTIONS).map((name) => `shared.${name}`)
  expect(paths.filter((path) => /^(?:circuitStore|shared)\b/.test(path)).sort()).toEqual(
    [
      ...['circuitStore', 'circuitStore.binding', 'shared', 'shared.store', 'shared.store.binding'],
      ...[
        'shared.partition',
        'shared.storeAuthKey',
        'shared.trustedStore',
        'shared.lease',
        ...times,
      ],
    ].sort(),
  )
})

describe('bounds are those of sharedDataKeys', () => {
  it.each(Object.entries(SHARED_OPTIONS))('shared.%s', (name, { least, most }) => {
    const store = new MemoryKeyValues(() => 0)
    const parts = (value: unknown) =>
      saidOf(() => sharedDataKeys({ ...shared, store, [name]: value }))
    const json = (value: unknown) => saidOf(() => stackOf({ shared: { ...shared, [name]: value } }))
    for (const value of [least, most]) expect([json(value), parts(value)]).toEqual(['made', 'made'])
    for (const value of [least - 1, most + 1, 1.5, String(least)]) {
      expect(parts(value)).toContain(`${name} must be`)
      expect(json(value)).toContain(`shared.${name} must be`)
    }
  })
})

describe('what they change', () => {
  it('circuitStore: circuits are read there, and not where it is false', async () => {
    const { store, cipher } = stackOf({ circuitStore: { binding: 'STORE' } })
    await cipher.encryptText('x')
    expect(store.calls).toContain('get circuit/local/encrypt')
    const without = stackOf({ circuitStore: false })
    await without.cipher.encryptText('x')
    expect(without.store.calls).toEqual([])
  })

  it('shared and partition: data keys are under the name of the partition', async () => {
    const names = async (partition: string): Promise<string> => {
      const { store, cipher } = stackOf({ shared: { ...shared, partition } })
      await cipher.encryptText('x')
      return [...store.values.keys()].sort().join()
    }
    expect(await names('p')).not.toBe('')
    expect(await names('p')).not.toBe(await names('q'))
  })

  it('storeAuthKey or trustedStore: one of them is needed', () => {
    const { trustedStore: _trusted, ...none } = shared
    expect(saidOf(() => stackOf({ shared: none }))).toContain('shared: storeAuthKey is missing')
    expect(saidOf(() => stackOf({ shared: { ...none, storeAuthKey: key } }))).toBe('made')
  })

  it('lease: required refuses a store that cannot', () => {
    const make = (): unknown =>
      stackOf({ shared: { ...shared, lease: 'required' } }, { consistency: 'eventual' })
    expect(saidOf(make)).toContain('lease: required needs a store that is strong')
  })

  it('storeTimeoutMs: how long a call waits for a store that hangs', async () => {
    const { world, store, cipher } = stackOf({ shared: { ...shared, storeTimeoutMs: 77 } })
    store.before = hang
    const startedMs = world.now()
    await world.settled(cipher.encryptText('x'))
    expect(world.now() - startedMs).toBe(77)
  })

  it('signalMs: how often a cache in use looks for invalidations', async () => {
    const { world, store, cipher } = stackOf({ shared: { ...shared, signalMs: 50 } })
    const looks = async (ms: number): Promise<number> => {
      store.calls.length = 0
      world.nowMs += ms
      await cipher.encryptText('x')
      await turn()
      return store.calls.length
    }
    await looks(0)
    await looks(60)
    expect([await looks(49), await looks(60)]).toEqual([0, 1])
  })

  it.each([
    [{ waitMs: 40, leaseMs: 60_000 }, 40],
    [{ waitMs: 120_000, leaseMs: 90 }, 90],
  ])(
    'waitMs and leaseMs: how long a call waits for a process that died, %j',
    async (times, leastMs) => {
      const { world, store, cipher } = stackOf({ shared: { ...shared, ...times } })
      // The one that died holds the lease: its swap goes through, and nothing comes after it.
      const swap = store.compareAndSwap.bind(store)
      const {
        world: other,
        store: otherStore,
        cipher: dying,
      } = stackOf({ shared: { ...shared, ...times } })
      let swaps = 0
      otherStore.get = (name) => store.get(name)
      otherStore.compareAndSwap = (...given) => (swaps++ === 0 ? swap(...given) : (hang() as never))
      otherStore.put = () => hang() as never
      void dying.encryptText('x').catch(() => undefined)
      await other.advance(0)
      const startedMs = world.now()
      await world.settled(cipher.encryptText('x'))
      const tookMs = world.now() - startedMs
      expect(tookMs).toBeGreaterThanOrEqual(leastMs)
      expect(tookMs).toBeLessThan(leastMs + 1_500)
    },
  )
})
