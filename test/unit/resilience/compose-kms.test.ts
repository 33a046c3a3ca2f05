import { describe, expect, it } from 'vitest'
import {
  CachedKms,
  composeKms,
  type ComposeKmsOptions,
  EnvelopeCipher,
  type KeyManagementService,
} from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { kmsContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { MemoryKeyValues } from '../../support/memory-key-values.ts'
import { fail, hang, ScriptedKms } from '../../support/scripted-kms.ts'

const call = { context: { 'edge-kms:dk': 'salt.1' } }
const down = fail('ERR_KMS_UNAVAILABLE')

function setup(options: ComposeKmsOptions = {}) {
  const world = new FakeWorld()
  const kms = new ScriptedKms()
  return { world, kms, stack: composeKms(kms, { ...options, ...world.ports }) }
}

for (const count of [1, 2]) {
  describe(`contract: the whole stack over ${count} local KMS`, () => {
    const key = crypto.getRandomValues(new Uint8Array(32))
    const local = (kekId: string): KeyManagementService =>
      createLocalKms({ kekId, versions: [{ version: 1, key }] })
    const over = (...ids: string[]): KeyManagementService =>
      composeKms(ids.slice(0, count).map(local), { preset: 'highAvailability' })
    runContract(
      kmsContract(over('a', 'b').capabilities, {
        create: () => over('a', 'b'),
        createOther: () => over('c', 'd'),
      }),
    )
  })
}

describe('the order of the stack', () => {
  it('each attempt counts for the circuit, and an open circuit ends the retries', async () => {
    const { world, kms, stack } = setup()
    kms.always = down
    for (let i = 0; i < 10; i++) await world.settled(stack.generateDataKey(call))
    expect(kms.calls).toHaveLength(5)
    expect(world.events.filter(({ type }) => type === 'retry')).toHaveLength(4)
  })

  it('a full bulkhead does not open the circuit, and is not retried', async () => {
    const { world, kms, stack } = setup({ bulkhead: { maxConcurrent: 1, maxQueue: 0 } })
    kms.script = [hang]
    const held = stack.generateDataKey(call).catch(() => undefined)
    await turn()
    for (let i = 0; i < 20; i++)
      await expect(stack.generateDataKey(call)).rejects.toMatchObject({ code: 'ERR_KMS_THROTTLED' })
    await world.settled(held)
    expect((await world.settled(stack.generateDataKey(call))).status).toBe('fulfilled')
  })

  it('time in the queue is not time of the attempt', async () => {
    const { world, kms, stack } = setup({ bulkhead: { maxConcurrent: 1 }, attemptTimeoutMs: 1_000 })
    const slow = (): Promise<void> =>
      new Promise((resolve) => {
        world.after(900, () => {
          resolve()
        })
      })
    kms.script = [slow, slow]
    const both = Promise.allSettled([stack.generateDataKey(call), stack.generateDataKey(call)])
    const outcome = await world.settled(both)
    expect(outcome).toMatchObject({ value: [{ status: 'fulfilled' }, { status: 'fulfilled' }] })
  })

  it('R21 the deadline is around all attempts', async () => {
    const { world, kms, stack } = setup()
    kms.always = hang
    const started = world.now()
    expect(await world.settled(stack.generateDataKey(call))).toMatchObject({
      reason: { code: 'ERR_KMS_TIMEOUT' },
    })
    expect(world.now() - started).toBe(5_000)
    expect(kms.calls).toHaveLength(3)
  })

  it('another KEK is asked after the retries of the first', async () => {
    const world = new FakeWorld()
    const members = [new ScriptedKms('a'), new ScriptedKms('b')]
    const stack = composeKms(members, { ...world.ports })
    const { wraps } = await stack.generateDataKey(call)
    ;(members[0] as ScriptedKms).always = down
    await world.settled(stack.unwrapDataKey(wraps, call))
    expect(world.events.map(({ type }) => type)).toContain('failover')
    expect((members[0] as ScriptedKms).calls.slice(1)).toHaveLength(3)
  })

  it('the audit layer is inside the deadline and around the KEKs: one record for all attempts', async () => {
    const seen: string[] = []
    const around = (kms: KeyManagementService): KeyManagementService =>
      Object.assign(Object.create(kms) as KeyManagementService, {
        generateDataKey: (given: typeof call & { deadlineMs?: number }) => {
          seen.push(`${kms.providerName} ${String(given.deadlineMs !== undefined)}`)
          return kms.generateDataKey(given)
        },
      })
    const { world, kms, stack } = setup({ audit: { mode: 'closed', around } })
    kms.script = [down, down]
    expect((await world.settled(stack.generateDataKey(call))).status).toBe('fulfilled')
    expect(seen).toEqual(['scripted true'])
    expect(kms.calls).toHaveLength(3)
  })

  it('R23 cached keys serve while the KMS is gone and the circuit open: 0 calls', async () => {
    const { world, kms, stack } = setup()
    const cipher = new EnvelopeCipher({ kms: stack })
    const options = { context: { tenant: 'acme' } }
    const envelope = await cipher.encrypt(new Uint8Array(8), options)
    kms.always = down
    const other = cipher.encrypt(new Uint8Array(8), { context: { tenant: 'other' } })
    expect((await world.settled(other)).status).toBe('rejected')
    kms.calls.length = 0
    for (let i = 0; i < 100; i++) {
      await cipher.encrypt(new Uint8Array(8), options)
      await cipher.decrypt(envelope, options)
    }
    expect(kms.calls).toEqual([])
  })
})

it('a KMS whose client aborts itself is down: its circuit opens and stale keys serve', async () => {
  const { world, kms, stack } = setup()
  const keys = new CachedKms({ kms: stack, runtime: world, network: world })
  const cipher = new EnvelopeCipher({ keys })
  const envelope = await cipher.encrypt(new Uint8Array(8))
  world.nowMs += 310_000
  kms.always = () => {
    throw new DOMException('gone', 'AbortError')
  }
  const { signal } = new AbortController()
  const outcome = await world.settled(cipher.decrypt(envelope, { signal }))
  expect(outcome).toMatchObject({ value: new Uint8Array(8) })
  for (let i = 0; i < 3; i++) {
    const other = cipher.encrypt(new Uint8Array(8), { context: { i: String(i) }, signal })
    expect(await world.settled(other)).toMatchObject({ reason: { code: 'ERR_KMS_UNAVAILABLE' } })
  }
  expect(world.events).toContainEqual(expect.objectContaining({ type: 'circuit', to: 'open' }))
})

describe('shared circuits', () => {
  it('one scope for each KMS; two of one provider must be told apart', () => {
    const world = new FakeWorld()
    const circuitStore = new MemoryKeyValues(() => world.now())
    const members = [new ScriptedKms(), new ScriptedKms()]
    expect(() => composeKms(members, { circuitStore })).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
    expect(composeKms(members, { circuitStore, scopes: ['aws/a', 'aws/b'] }).providerName).toBe(
      'multi',
    )
  })

  it('keep one KMS apart from the other', async () => {
    const world = new FakeWorld()
    const circuitStore = new MemoryKeyValues(() => world.now())
    const members = [new ScriptedKms('a'), new ScriptedKms('b')]
    const stack = composeKms(members, { circuitStore, ...world.ports })
    const { wraps } = await stack.generateDataKey(call)
    ;(members[0] as ScriptedKms).always = down
    for (let i = 0; i < 5; i++) await world.settled(stack.unwrapDataKey(wraps, call))
    expect([...circuitStore.values.keys()]).toEqual(['circuit/a/decrypt'])
  })
})

it.each<[string, object]>([
  ['an unknown preset', { preset: 'prod' }],
  ['a preset from the prototype', { preset: 'toString' }],
  ['a misspelt option', { deadline: 3 }],
  ['an attempt that is longer than the whole', { deadlineMs: 100, attemptTimeoutMs: 200 }],
  ['a misspelt value of a part', { retry: { attempts: 3 } }],
  ['a misspelt value of the bulkhead', { bulkhead: { concurrent: 3 } }],
  ['scopes that are not as many', { scopes: ['a', 'b'] }],
  ['a scope that is none', { scopes: [''] }],
  ['highSecurity without audit', { preset: 'highSecurity' }],
  [
    'highSecurity with an audit log that is open',
    { preset: 'highSecurity', audit: { mode: 'open', around: (kms: unknown) => kms } },
  ],
  ['a bulkhead that is switched off', { bulkhead: false }],
  ['a retry of true', { retry: true }],
  ['a retry of null', { retry: null }],
  ['circuits shared that are switched off', { circuitBreaker: false, circuitStore: {} }],
  ['an order that is none', { order: 'bogus' }],
  ['a quorum of two of one', { writePolicy: { quorum: 2 } }],
  ['an audit layer that is none', { audit: { mode: 'closed' } }],
  ['a first delay above the longest', { retry: { baseDelayMs: 200, maxDelayMs: 100 } }],
  ['a wait in the queue beyond the deadline', { deadlineMs: 50, bulkhead: { maxWaitMs: 50 } }],
  ['a hedge beyond the deadline', { deadlineMs: 50, hedge: { afterMs: 50 } }],
  ['a grace beyond the deadline', { deadlineMs: 50, writePolicy: { quorum: 1, graceMs: 50 } }],
])('refuses %s', (_, options) => {
  expect(() => composeKms(new ScriptedKms(), options)).toThrow(
    expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
  )
})

it('refuses the same KMS twice: two wraps under one KEK are not an envelope', () => {
  const kms = new ScriptedKms()
  const refused = expect.objectContaining({ code: 'ERR_KMS_CONFIG' }) as Error
  expect(() => composeKms([kms, kms])).toThrow(refused)
})

it('refuses two KMSs that write under the same KEK, where that is known', () => {
  const refused = expect.objectContaining({
    message: expect.stringContaining('its own KEK'),
  }) as Error
  const of = (name: string, kek: string, usage: 'both' | 'decrypt' | 'encrypt' = 'both') =>
    new ScriptedKms(name, { usage, keks: [kek] })
  expect(() => composeKms([of('a', 'one'), of('b', 'one'), of('a', 'one')])).toThrow(refused)
  // Another key, another provider's key of that name, and one that only reads are not a second wrap.
  for (const other of [of('a', 'two'), of('b', 'one'), of('a', 'one', 'decrypt')])
    expect(composeKms([of('a', 'one'), other]).capabilities.usage).toBe('both')
  // One with the right to wrap and one with the right to unwrap are one KEK of two policies.
  composeKms([of('a', 'one', 'encrypt'), of('a', 'one', 'decrypt')])
})

it('a longest delay that is set below those of the preset shortens them', async () => {
  const { world, kms, stack } = setup({ deadlineMs: 900_000, retry: { maxDelayMs: 20 } })
  world.random = 1
  for (const code of ['ERR_KMS_UNAVAILABLE', 'ERR_KMS_THROTTLED'] as const) {
    kms.script = [fail(code), fail(code)]
    await world.settled(stack.generateDataKey(call))
  }
  const delays = world.events.flatMap((event) => (event.type === 'retry' ? [event.delayMs] : []))
  expect(delays).toEqual([20, 20, 20, 20])
})

it('R26 a write that has its quorum leaves before a short deadline, without a grace being set', async () => {
  const world = new FakeWorld()
  const [fast, slow] = [new ScriptedKms('fast'), new ScriptedKms('slow')]
  slow.always = hang
  const repairs = { note: () => Promise.resolve() }
  const options = { deadlineMs: 400, retry: false, writePolicy: { quorum: 1 }, repairs } as const
  const outcome = await world.settled(
    composeKms([fast, slow], { ...options, ...world.ports }).generateDataKey(call),
  )
  expect(outcome).toMatchObject({ value: { wraps: [{ provider: 'fast' }] } })
})

it('refuses no KMS at all', () => {
  expect(() => composeKms([])).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
})
