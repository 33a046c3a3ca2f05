// Wrong options from a caller without types, and the words of the errors.
import { describe, expect, it, vi } from 'vitest'
import {
  BulkheadKms,
  CachedKms,
  CircuitBreakerKms,
  composeKms,
  MultiKms,
  PRESETS,
  RetryKms,
  TimeoutKms,
} from '../../../src/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { MemoryKeyValues } from '../../support/memory-key-values.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

type Make = (options: object | null | undefined) => unknown
const kms = new ScriptedKms('a')
const timeout = { timeoutMs: 100, layer: 'attempt' }
const makers: Readonly<Record<string, Make>> = {
  RetryKms: (options) => new RetryKms((options && { kms, ...options }) as never),
  BulkheadKms: (options) => new BulkheadKms((options && { kms, ...options }) as never),
  CircuitBreakerKms: (options) => new CircuitBreakerKms((options && { kms, ...options }) as never),
  TimeoutKms: (options) => new TimeoutKms((options && { kms, ...timeout, ...options }) as never),
  MultiKms: (options) => new MultiKms((options && { read: [kms], ...options }) as never),
  composeKms: (options) => composeKms(kms, options as never),
}

function saidOf(make: () => unknown): string {
  try {
    make()
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_KMS_CONFIG' })
    return (error as Error).message
  }
  return 'accepted'
}

describe.each(Object.entries(makers))('%s', (_, make) => {
  it.each([
    ['runtime', 5, 'runtime must be an object with now(), got a number'],
    ['network', {}, 'network must be an object with after(), got an object'],
    ['observer', 5, 'observer must be an object with observe(), got a number'],
    ['observer', () => undefined, 'observer must be an object with observe(), got a function'],
    ['clock', 1, 'unknown option: clock'],
  ])('refuses %s: %j', (name, value, said) => {
    expect(saidOf(() => make({ [name]: value }))).toBe(said)
  })

  it('refuses null for its options', () => {
    expect(saidOf(() => make(null))).toBe('the options must be an object, got null')
  })

  it('accepts an observer', () => {
    expect(saidOf(() => make({ observer: new FakeWorld() }))).toBe('accepted')
  })
})

const state = 'must be what state() returned'
const two = [kms, new ScriptedKms('b')]
const repairs = { note: () => Promise.resolve() }
it.each<[string, () => unknown, string]>([
  [
    'layer',
    () => makers['TimeoutKms']?.({ layer: 'x' }),
    'layer must be operation or attempt, got a string',
  ],
  [
    'timeoutMs',
    () => makers['TimeoutKms']?.({ timeoutMs: 0 }),
    'timeoutMs must be an integer from 1 to 900000, got 0',
  ],
  [
    'scope',
    () => makers['CircuitBreakerKms']?.({ scope: {} }),
    'scope must be a string, got an object',
  ],
  ['state', () => makers['CircuitBreakerKms']?.({ state: 5 }), `state ${state}, got a number`],
  [
    'state of a class',
    () => makers['CircuitBreakerKms']?.({ state: { encrypt: 5 } }),
    `state.encrypt ${state}, got a number`,
  ],
  [
    'a bucket of a state',
    () =>
      makers['CircuitBreakerKms']?.({
        state: {
          decrypt: {
            phase: 'open',
            epoch: 1,
            untilMs: 1,
            failuresInARow: 0,
            passed: 0,
            buckets: [null],
          },
        },
      }),
    `state.decrypt ${state}, got an object`,
  ],
  [
    'store',
    () => makers['CircuitBreakerKms']?.({ store: {} }),
    'store must be a KeyValueStore, got an object',
  ],
  [
    'store',
    () => makers['CircuitBreakerKms']?.({ store: 5 }),
    'store must be a KeyValueStore, got a number',
  ],
  [
    'failureThreshold',
    () => makers['CircuitBreakerKms']?.({ failureThreshold: '5' }),
    'failureThreshold must be an integer from 1 to 1000, got a string',
  ],
  [
    'a longest delay of 0',
    () => makers['RetryKms']?.({ maxDelayMs: 0, baseDelayMs: 100 }),
    'maxDelayMs must be an integer from 1 to 300000, got 0',
  ],
  [
    'a circuitStore without circuits',
    () => composeKms(kms, { circuitBreaker: false, circuitStore: new MemoryKeyValues(() => 0) }),
    'circuitStore requires circuitBreaker, got false: set it, or leave circuitStore out',
  ],
  [
    'circuitStore',
    () => composeKms(kms, { circuitStore: {} as never }),
    'circuitStore must be an object with compareAndSwap(), got an object',
  ],
  [
    'circuitStore: null',
    () => composeKms(kms, { circuitStore: null as never }),
    'circuitStore must be an object with compareAndSwap(), got null',
  ],
  [
    'audit',
    () => composeKms(kms, { audit: null as never }),
    'audit must be an object with around(), got null',
  ],
  ['no KMS', () => composeKms(null as never), 'kms must be a KeyManagementService, got null'],
  [
    'a CachedKms',
    () => composeKms(new CachedKms({ kms }) as never),
    'kms must be a KeyManagementService, got a CachedKms or another data-key source: pass its KMS here, and the result to CachedKms',
  ],
  [
    'a CachedKms in a list',
    () => new MultiKms({ read: [new CachedKms({ kms }) as never] }),
    'read[0] must be a KeyManagementService, got a CachedKms or another data-key source: pass its KMS here, and the result to CachedKms',
  ],
  [
    'a hole',
    () => composeKms([kms, null] as never),
    'kms[1] must be a KeyManagementService, got null',
  ],
  [
    'preset',
    () => composeKms(kms, { preset: 'prod' as never }),
    'preset must be development or production or highAvailability or highSecurity, got a string',
  ],
  [
    'a quorum of one KMS',
    () => composeKms(kms, { writePolicy: { quorum: 1 } }),
    'writePolicy requires several KMSs, got one: leave it out',
  ],
  [
    'a hedge of one KMS',
    () => composeKms(kms, { hedge: { afterMs: 50 } }),
    'hedge requires several KMSs, got one: leave it out',
  ],
  [
    'an order of one KMS',
    () => composeKms(kms, { order: 'fastest' }),
    'order requires several KMSs, got one: leave it out',
  ],
  [
    'a quorum of one writer',
    () => new MultiKms({ read: two, write: [kms], writePolicy: { quorum: 1 } }),
    'writePolicy requires several KMSs to write to, got one: leave it out',
  ],
  [
    'repairs',
    () => new MultiKms({ read: two, repairs: {} as never }),
    'repairs must be an object with note(), got an object',
  ],
  [
    'a policy of null',
    () => new MultiKms({ read: two, writePolicy: null as never }),
    'writePolicy must be all or an object with a quorum, got null',
  ],
  [
    'a policy without a quorum',
    () => new MultiKms({ read: two, repairs, writePolicy: {} as never }),
    'writePolicy.quorum must be an integer from 1 to 2, got NaN',
  ],
  [
    '17 KMSs',
    () => new MultiKms({ read: Array.from({ length: 17 }, (_, i) => new ScriptedKms(String(i))) }),
    'at most 16 KMSs can write, got 17: a header holds no more wraps',
  ],
  [
    'a read list',
    () => new MultiKms({ read: kms as never }),
    'read must be a list of KeyManagementServices, got an instance of a class',
  ],
])('refuses %s by name', (_, make, said) => {
  expect(saidOf(make)).toBe(said)
})

it('one KMS takes a preset that asks for several', () => {
  expect(composeKms(kms, { preset: 'highAvailability', writePolicy: 'all' }).providerName).toBe('a')
  const multi = new MultiKms({
    read: Array.from({ length: 16 }, (_, i) => new ScriptedKms(String(i))),
  })
  expect(multi.capabilities.wraps).toBe(16)
})

it('presets cannot be changed by one user for all others', () => {
  const parts = [
    PRESETS,
    ...Object.values(PRESETS).flatMap((preset) => [
      preset,
      ...(Object.values(preset) as unknown[]),
    ]),
  ]
  const objects = parts.filter((part) => typeof part === 'object')
  expect(objects.length).toBeGreaterThan(12)
  for (const part of objects) expect(Object.isFrozen(part)).toBe(true)
})

it('a second copy of the package does not retry what the first one refused', async () => {
  vi.resetModules()
  const copy = await import('../../../src/index.ts')
  expect(copy.RetryKms).not.toBe(RetryKms)
  const world = new FakeWorld()
  const inner = new ScriptedKms()
  inner.always = fail('ERR_KMS_UNAVAILABLE')
  const breaker = new CircuitBreakerKms({ kms: inner, failureThreshold: 1, ...world.ports })
  const retry = new copy.RetryKms({ kms: breaker, ...world.ports })
  const work = retry.generateDataKey({ context: {} })
  expect(await world.settled(work)).toMatchObject({ reason: { code: 'ERR_KMS_UNAVAILABLE' } })
  // One attempt opens the circuit; its retry is refused, and that refusal is final.
  expect(inner.calls).toHaveLength(1)
  expect(world.events.filter(({ type }) => type === 'retry')).toHaveLength(1)
})
