import { describe, expect, it } from 'vitest'
import {
  CACHE_PRESETS,
  CachedKms,
  CIRCUIT_PRESETS,
  CircuitBreakerKms,
  composeKms,
  RETRY_PRESETS,
  RetryKms,
} from '../../../src/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

const call = { context: { tenant: 'acme' } }

function downKms(): ScriptedKms {
  const kms = new ScriptedKms()
  kms.always = fail('ERR_KMS_UNAVAILABLE')
  return kms
}

describe('named values of one part', () => {
  it.each([
    ['none', 1],
    ['aggressive', 6],
  ] as const)('RETRY_PRESETS.%s makes %i attempts', async (name, attempts) => {
    const [world, kms] = [new FakeWorld(), downKms()]
    const retry = new RetryKms({ kms, ...RETRY_PRESETS[name], ...world.ports })
    await world.settled(retry.generateDataKey(call))
    expect(kms.calls).toHaveLength(attempts)
  })

  it.each([
    ['aggressive', 3, 60_000],
    ['lenient', 10, 15_000],
  ] as const)(
    'CIRCUIT_PRESETS.%s opens after %i failures for %i ms',
    async (name, failures, ms) => {
      const [world, kms] = [new FakeWorld(), downKms()]
      const breaker = new CircuitBreakerKms({ kms, ...CIRCUIT_PRESETS[name], ...world.ports })
      for (let i = 0; i < 30; i++) await breaker.generateDataKey(call).catch(() => undefined)
      expect(kms.calls).toHaveLength(failures)
      await world.advance(ms - 1)
      await breaker.generateDataKey(call).catch(() => undefined)
      expect(kms.calls).toHaveLength(failures)
      await world.advance(ms / 10 + 1)
      await breaker.generateDataKey(call).catch(() => undefined)
      expect(kms.calls).toHaveLength(failures + 1)
    },
  )

  it('CACHE_PRESETS.disabled asks the KMS for each message, highSecurity for one of 1,024', async () => {
    for (const [name, expected] of [
      ['disabled', 3],
      ['highSecurity', 1],
    ] as const) {
      const kms = new ScriptedKms()
      const keys = new CachedKms({ kms, ...CACHE_PRESETS[name] })
      for (let i = 0; i < 3; i++) await keys.active({ tenant: 'acme' }, { messages: 1 } as never)
      expect([name, kms.calls.length]).toEqual([name, expected])
    }
  })

  it('are frozen, and a stack takes them', () => {
    for (const presets of [RETRY_PRESETS, CIRCUIT_PRESETS, CACHE_PRESETS])
      for (const preset of [presets, ...Object.values(presets)])
        expect(Object.isFrozen(preset)).toBe(true)
    const options = { retry: RETRY_PRESETS.aggressive, circuitBreaker: CIRCUIT_PRESETS.lenient }
    expect(() => composeKms(new ScriptedKms(), { ...options, deadlineMs: 60_000 })).not.toThrow()
  })
})
