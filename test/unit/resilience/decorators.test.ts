import { describe, expect, it } from 'vitest'
import {
  BulkheadKms,
  CircuitBreakerKms,
  type DecoratorPorts,
  type KeyManagementService,
  RetryKms,
  TimeoutKms,
} from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { kmsContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

type Decorate = (kms: KeyManagementService, ports?: DecoratorPorts) => KeyManagementService
const decorators: readonly (readonly [string, Decorate])[] = [
  ['RetryKms', (kms, ports) => new RetryKms({ kms, ...ports })],
  ['BulkheadKms', (kms, ports) => new BulkheadKms({ kms, ...ports })],
  ['CircuitBreakerKms', (kms, ports) => new CircuitBreakerKms({ kms, ...ports })],
  [
    'TimeoutKms',
    (kms, ports) => new TimeoutKms({ kms, timeoutMs: 60_000, layer: 'attempt', ...ports }),
  ],
]
const call = { context: { tenant: 'acme' } }

describe.each(decorators)('contract: %s', (_, decorate) => {
  const key = crypto.getRandomValues(new Uint8Array(32))
  const local = (kekId: string): KeyManagementService =>
    createLocalKms({ kekId, versions: [{ version: 1, key }] })
  const create = (): KeyManagementService => decorate(local('a'))
  runContract(
    kmsContract(create().capabilities, { create, createOther: () => decorate(local('b')) }),
  )
})

describe.each(decorators)('%s', (_, decorate) => {
  it('passes every method on, and what is thrown at once as well', async () => {
    const world = new FakeWorld()
    const kms = new ScriptedKms()
    const outer = decorate(kms, world.ports)
    const { plaintext, wraps } = await outer.generateDataKey(call)
    await outer.wrapDataKey(plaintext, call)
    await outer.unwrapDataKey(wraps, call)
    await outer.rewrapDataKey(wraps, call)
    await outer.currentVersion({})
    await outer.rotateKey({})
    await outer.healthCheck({})
    expect(kms.calls).toEqual([
      'generateDataKey',
      'wrapDataKey',
      'unwrapDataKey',
      'rewrapDataKey',
      'currentVersion',
      'rotateKey',
      'healthCheck',
    ])
    expect(outer.canUnwrap(wraps[0] as never)).toBe(true)
    expect(world.timers).toBe(0)
  })

  it('an error keeps its code, and no timer stays behind', async () => {
    const world = new FakeWorld()
    const kms = new ScriptedKms()
    kms.always = fail('ERR_KMS_ACCESS_DENIED')
    const outer = decorate(kms, world.ports)
    await expect(outer.generateDataKey(call)).rejects.toMatchObject({
      code: 'ERR_KMS_ACCESS_DENIED',
    })
    expect(kms.calls).toHaveLength(1)
    expect(world.timers).toBe(0)
  })

  it('sends a batch as one call only where the service has batches', async () => {
    const batching = new ScriptedKms('scripted', { batches: true })
    const single = new ScriptedKms()
    for (const kms of [batching, single]) {
      const outer = decorate(kms, new FakeWorld().ports)
      const { wraps } = await kms.generateDataKey(call)
      const items = Array.from({ length: 3 }, () => ({ wraps, context: {} }))
      kms.calls.length = 0
      const outcomes = await outer.unwrapMany(items, {})
      expect(outcomes.map(({ ok }) => ok)).toEqual([true, true, true])
    }
    expect(batching.calls[0]).toBe('unwrapMany 3')
    expect(single.calls).toEqual(['unwrapDataKey', 'unwrapDataKey', 'unwrapDataKey'])
  })

  it('refuses an unknown option and what is not a KMS', () => {
    expect(() => decorate(new ScriptedKms(), { clock: 1 } as DecoratorPorts)).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
    expect(() => decorate({} as KeyManagementService)).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  })

  it('an observer that throws changes nothing', async () => {
    const observer = {
      observe: () => {
        throw new Error('counting failed')
      },
    }
    const outer = decorate(new ScriptedKms(), { ...new FakeWorld().ports, observer })
    expect((await outer.generateDataKey(call)).wraps).toHaveLength(1)
  })
})
