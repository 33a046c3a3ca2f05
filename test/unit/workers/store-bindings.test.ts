import { describe, expect, it } from 'vitest'
import { withDefaultStore } from '../../../adapters/workers/default-stores.ts'
import {
  D1KeyValueStore,
  DurableObjectKeyValueStore,
  storeBindings,
  WorkersKvStore,
} from '../../../adapters/workers/index.ts'
import { composeKms, type StackPlan } from '../../../src/index.ts'
import { MemoryKeyValues } from '../../support/memory-key-values.ts'
import { ScriptedKms } from '../../support/scripted-kms.ts'

const none = (): undefined => undefined

describe('storeBindings', () => {
  it('finds Durable Objects, D1 and Workers KV by what they can do', () => {
    const stores = storeBindings({
      OBJECT: { idFromName: none, get: none },
      DATABASE: { prepare: none, batch: none },
      KV: { get: none, put: none, delete: none, getWithMetadata: none },
    })
    expect(stores['OBJECT']).toBeInstanceOf(DurableObjectKeyValueStore)
    expect(stores['DATABASE']).toBeInstanceOf(D1KeyValueStore)
    expect(stores['KV']).toBeInstanceOf(WorkersKvStore)
  })

  it('takes no other binding for a store, nor a service, which answers to every name', () => {
    const service = new Proxy({}, { get: () => none })
    const bucket = { get: none, put: none, delete: none, head: none, list: none }
    expect(storeBindings({ SERVICE: service, BUCKET: bucket, TEXT: 'x', NOTHING: null })).toEqual(
      {},
    )
  })

  it('refuses what is not an environment', () => {
    expect(() => storeBindings(undefined as never)).toThrow('env must be an object')
  })
})

describe('the default store', () => {
  const store = new MemoryKeyValues(() => 0)
  const binding = () => new ScriptedKms('binding', { bindsContext: true })
  const planned = (plan: StackPlan, storeAuthKey?: string) => {
    const { circuitStore, shared } = withDefaultStore(plan, store, { partition: 'p', storeAuthKey })
    return { circuits: circuitStore === store, keys: typeof shared === 'object' }
  }
  const authKey = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')

  it.each<[string, StackPlan, string | undefined, { circuits: boolean; keys: boolean }]>([
    ['one KMS', { kms: binding() }, undefined, { circuits: true, keys: true }],
    [
      'a KMS that binds no context',
      { kms: new ScriptedKms() },
      undefined,
      { circuits: true, keys: false },
    ],
    [
      'the same with a storeAuthKey',
      { kms: new ScriptedKms() },
      authKey,
      { circuits: true, keys: true },
    ],
    [
      'a KMS that only encrypts',
      { kms: new ScriptedKms('e', { bindsContext: true, usage: 'encrypt' }) },
      undefined,
      { circuits: true, keys: false },
    ],
    [
      'no breaker',
      { kms: binding(), resilience: { preset: 'development' } },
      undefined,
      { circuits: false, keys: true },
    ],
    [
      'several probes',
      { kms: binding(), resilience: { circuitBreaker: { successThreshold: 2 } } },
      undefined,
      { circuits: false, keys: true },
    ],
    [
      'two KMSs of one name',
      { kms: [binding(), binding()] },
      undefined,
      { circuits: false, keys: true },
    ],
    [
      'the same with scopes',
      { kms: [binding(), binding()], resilience: { scopes: ['a', 'b'] } },
      undefined,
      { circuits: true, keys: true },
    ],
    [
      'a configuration that says none',
      { kms: binding(), circuitStore: false, shared: false },
      undefined,
      { circuits: false, keys: false },
    ],
  ])('%s', (_, plan, storeAuthKey, expected) => {
    expect(planned(plan, storeAuthKey)).toEqual(expected)
    const { kms, resilience, circuitStore } = withDefaultStore(plan, store, {
      partition: 'p',
      storeAuthKey,
    })
    // The stack accepts the stores that it makes.
    composeKms(kms, { ...resilience, circuitStore: circuitStore || undefined })
  })

  it('does not replace a store of the configuration', () => {
    const other = new MemoryKeyValues(() => 0)
    const { circuitStore } = withDefaultStore({ kms: binding(), circuitStore: other }, store, {
      partition: 'p',
    })
    expect(circuitStore).toBe(other)
  })
})
