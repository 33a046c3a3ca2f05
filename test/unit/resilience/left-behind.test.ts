// R38: what calls leave behind on the caller's signal.
import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import {
  BulkheadKms,
  CircuitBreakerKms,
  composeKms,
  type DecoratorPorts,
  type KeyManagementService,
  MultiKms,
  RetryKms,
  TimeoutKms,
} from '../../../src/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { MemoryKeyValues } from '../../support/memory-key-values.ts'
import { fail, ScriptedKms, type Step } from '../../support/scripted-kms.ts'

const call = { context: { 'edge-kms:dk': 'salt.1' } }
const repairs = { note: () => Promise.resolve() }

type Layer = (
  members: readonly [ScriptedKms, ScriptedKms],
  ports: DecoratorPorts,
) => KeyManagementService
const layers: readonly (readonly [string, Layer])[] = [
  ['RetryKms', ([kms], ports) => new RetryKms({ kms, ...ports })],
  ['BulkheadKms', ([kms], ports) => new BulkheadKms({ kms, maxConcurrent: 1, ...ports })],
  [
    'CircuitBreakerKms',
    ([kms], ports) => {
      const store = new MemoryKeyValues(() => ports.runtime?.now() ?? 0)
      return new CircuitBreakerKms({ kms, store, failureThreshold: 1, ...ports })
    },
  ],
  [
    'TimeoutKms',
    ([kms], ports) => new TimeoutKms({ kms, timeoutMs: 100, layer: 'attempt', ...ports }),
  ],
  ['MultiKms', (read, ports) => new MultiKms({ read, ...ports })],
  [
    'MultiKms, quorum and hedge',
    (read, ports) =>
      new MultiKms({ read, writePolicy: { quorum: 1 }, hedge: { afterMs: 20 }, repairs, ...ports }),
  ],
  ['composeKms', ([kms], ports) => composeKms(kms, { preset: 'production', ...ports })],
]

/** Takes so long, or fails then. */
const after =
  (world: FakeWorld, ms: number, then: Step = () => undefined): Step =>
  () =>
    new Promise<void>((resolve) => {
      world.after(ms, () => {
        resolve()
      })
    }).then(then)

const down = fail('ERR_KMS_UNAVAILABLE')
const ways: readonly (readonly [string, (world: FakeWorld) => readonly [Step, Step]])[] = [
  ['at once', () => [() => undefined, () => undefined]],
  ['slowly', (world) => [after(world, 50), after(world, 50)]],
  ['the second first', (world) => [after(world, 90), after(world, 10)]],
  ['the first never', (world) => [down, after(world, 10)]],
  ['neither', (world) => [after(world, 10, down), after(world, 30, down)]],
  ['too late', (world) => [after(world, 5_000), after(world, 5_000)]],
]

describe.each(layers)('%s, under a signal that lives on', (_, layer) => {
  it.each(ways)('leaves no listener and no timer behind: answered %s', async (_, way) => {
    const world = new FakeWorld()
    const members = [new ScriptedKms('a'), new ScriptedKms('b')] as const
    const kms = layer(members, world.ports)
    const { plaintext, wraps } = await new MultiKms({ read: members }).generateDataKey(call)
    const steps = way(world)
    members.forEach((member, i) => (member.always = steps[i] as Step))
    const { signal } = new AbortController()
    const options = { ...call, signal }
    const calls: readonly (() => Promise<unknown>)[] = [
      () => kms.generateDataKey(options),
      () => kms.wrapDataKey(plaintext, options),
      () => kms.unwrapDataKey(wraps, options),
      () => kms.unwrapMany([{ wraps, context: call.context }], options),
      () => kms.rewrapDataKey(wraps, options),
    ]
    for (const work of calls) {
      await Promise.all([world.settled(work()), world.settled(work())])
      expect(getEventListeners(signal, 'abort')).toEqual([])
    }
    await world.advance(60_000)
    expect(world.timers).toBe(0)
  })
})
