import { describe, expect, it } from 'vitest'
import { RetryKms, type RetryConfig } from '../../../src/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

const call = { context: {} }

function setup(config: RetryConfig = {}) {
  const world = new FakeWorld()
  const kms = new ScriptedKms()
  const retry = new RetryKms({ kms, ...config, ...world.ports })
  const delays = () =>
    world.events.flatMap((event) => (event.type === 'retry' ? [event.delayMs] : []))
  return { world, kms, retry, delays }
}

describe('R20 delays', () => {
  it.each([
    ['ERR_KMS_UNAVAILABLE', [49.5, 99, 198, 396]],
    ['ERR_KMS_TIMEOUT', [49.5, 99, 198, 396]],
    ['ERR_KMS_THROTTLED', [990, 1_980, 3_960, 7_920]],
  ] as const)('full jitter, doubled each time: %s', async (code, expected) => {
    const { world, kms, retry, delays } = setup({ maxAttempts: 5 })
    world.random = 0.99
    kms.always = fail(code)
    await world.settled(retry.generateDataKey(call))
    expect(delays()).toEqual(expected)
    expect(kms.calls).toHaveLength(5)
  })

  it('the cap comes before the jitter', async () => {
    const { world, kms, retry, delays } = setup({ maxAttempts: 10, maxDelayMs: 200 })
    world.random = 0.5
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    await world.settled(retry.generateDataKey(call))
    expect(delays()).toEqual([25, 50, 100, 100, 100, 100, 100, 100, 100])
  })

  it.each([
    ['shorter than ours: ours', 10, 25],
    ['longer: theirs', 3_000, 3_000],
    ['far longer: ours and 5 s', 60_000, 5_025],
  ])('a hint of the KMS that is %s', async (_, retryAfterMs, expected) => {
    const { world, kms, retry, delays } = setup()
    world.random = 0.5
    kms.script = [fail('ERR_KMS_UNAVAILABLE', { retryAfterMs })]
    await world.settled(retry.generateDataKey(call))
    expect(delays()).toEqual([expected])
  })
})

describe('R20 what is retried', () => {
  it.each([
    'ERR_KMS_ACCESS_DENIED',
    'ERR_KMS_KEY_DISABLED',
    'ERR_KMS_KEY_NOT_FOUND',
    'ERR_DECRYPT_FAILED',
    'ERR_KMS_RESPONSE_INVALID',
    'ERR_KMS_UNAUTHENTICATED',
  ] as const)('not %s', async (code) => {
    const { world, kms, retry } = setup()
    kms.always = fail(code)
    expect(await world.settled(retry.generateDataKey(call))).toMatchObject({ reason: { code } })
    expect(kms.calls).toHaveLength(1)
  })

  it('what is not an error of ours, as an outage', async () => {
    const { world, kms, retry } = setup()
    kms.always = () => {
      throw new TypeError('fetch failed')
    }
    const outcome = await world.settled(retry.generateDataKey(call))
    expect(outcome).toMatchObject({ reason: { code: 'ERR_KMS_UNAVAILABLE' } })
    expect(kms.calls).toHaveLength(3)
  })

  it('the last error is the one that the caller sees', async () => {
    const { world, kms, retry } = setup()
    kms.script = [fail('ERR_KMS_UNAVAILABLE'), fail('ERR_KMS_ACCESS_DENIED')]
    const outcome = await world.settled(retry.generateDataKey(call))
    expect(outcome).toMatchObject({ reason: { code: 'ERR_KMS_ACCESS_DENIED' } })
  })

  it('a rotation only if the KMS says that it did not do it', async () => {
    const { world, kms, retry } = setup()
    kms.script = [fail('ERR_KMS_THROTTLED'), fail('ERR_KMS_TIMEOUT')]
    const outcome = await world.settled(retry.rotateKey({}))
    expect(outcome).toMatchObject({ reason: { code: 'ERR_KMS_TIMEOUT' } })
    expect(kms.calls).toEqual(['rotateKey', 'rotateKey'])
  })

  it('never a health check: it tells how the KMS is now', async () => {
    const { world, kms, retry } = setup()
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    const outcome = await world.settled(retry.healthCheck({}))
    expect(outcome).toMatchObject({ reason: { code: 'ERR_KMS_UNAVAILABLE' } })
    expect(kms.calls).toEqual(['healthCheck'])
  })

  it('of a batch, the items that may succeed then', async () => {
    const world = new FakeWorld()
    const kms = new ScriptedKms('scripted', { batches: true })
    const retry = new RetryKms({ kms, ...world.ports })
    const { wraps } = await kms.generateDataKey(call)
    kms.calls.length = 0
    const nothing = () => undefined
    kms.script = [nothing, nothing, fail('ERR_KMS_THROTTLED'), fail('ERR_KMS_ACCESS_DENIED')]
    const items = Array.from({ length: 3 }, () => ({ wraps, context: {} }))
    const outcome = await world.settled(retry.unwrapMany(items, {}))
    expect(outcome).toMatchObject({
      value: [{ ok: true }, { ok: true }, { error: { code: 'ERR_KMS_ACCESS_DENIED' } }],
    })
    expect(kms.calls.filter((name) => name.startsWith('unwrapMany'))).toEqual([
      'unwrapMany 3',
      'unwrapMany 1',
    ])
  })

  it('of a batch that fails as a whole, the error; once an item has its own, that one', async () => {
    const world = new FakeWorld()
    const kms = new ScriptedKms('scripted', { batches: true })
    const retry = new RetryKms({ kms, ...world.ports })
    const { wraps } = await kms.generateDataKey(call)
    const items = [{ wraps, context: {} }]
    kms.script = [fail('ERR_KMS_ACCESS_DENIED')]
    const whole = await world.settled(retry.unwrapMany(items, {}))
    expect(whole).toMatchObject({ reason: { code: 'ERR_KMS_ACCESS_DENIED' } })
    kms.script = [() => undefined, fail('ERR_KMS_THROTTLED'), fail('ERR_KMS_ACCESS_DENIED')]
    const later = await world.settled(retry.unwrapMany(items, {}))
    expect(later).toMatchObject({ value: [{ error: { code: 'ERR_KMS_THROTTLED' } }] })
  })
})

describe('R20 the budget', () => {
  it('500 tokens pay for 35 retries; then one call is one attempt', async () => {
    const { world, kms, retry } = setup()
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    for (let i = 0; i < 1_000; i++) await world.settled(retry.generateDataKey(call))
    expect(kms.calls).toHaveLength(1_000 + Math.floor(500 / 14))
    expect(world.events.at(-1)).toMatchObject({ type: 'refusal', by: 'retry-budget' })
  })

  it('a throttle costs 5', async () => {
    const { world, kms, retry } = setup()
    kms.always = fail('ERR_KMS_THROTTLED')
    for (let i = 0; i < 200; i++) await world.settled(retry.generateDataKey(call))
    expect(kms.calls).toHaveLength(200 + 100)
  })

  it('a success brings 1 back, one after a retry what the retry cost, and never more than all', async () => {
    const { world, kms, retry } = setup({ budget: 100 })
    kms.script = [fail('ERR_KMS_UNAVAILABLE')]
    await world.settled(retry.generateDataKey(call))
    expect(retry.budget()).toEqual({ tokens: 100 })
    kms.script = [fail('ERR_KMS_UNAVAILABLE'), fail('ERR_KMS_ACCESS_DENIED')]
    await world.settled(retry.generateDataKey(call))
    expect(retry.budget()).toEqual({ tokens: 86 })
    await retry.generateDataKey(call)
    expect(retry.budget()).toEqual({ tokens: 87 })
  })
})

describe('R21 deadline and abort', () => {
  it('does not sleep into the deadline: the caller sees the failure, not a timeout', async () => {
    const { world, kms, retry } = setup({ baseDelayMs: 1_000 })
    world.random = 0.9
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    const outcome = await world.settled(
      retry.generateDataKey({ ...call, deadlineMs: world.now() + 900 }),
    )
    expect(outcome).toMatchObject({ reason: { code: 'ERR_KMS_UNAVAILABLE' } })
    expect(kms.calls).toHaveLength(1)
    expect(world.timers).toBe(0)
  })

  it('an abort during the sleep is seen on the next turn, and the timer goes', async () => {
    const { world, kms, retry } = setup({ baseDelayMs: 1_000 })
    world.random = 0.9
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    const controller = new AbortController()
    const work = retry.generateDataKey({ ...call, signal: controller.signal })
    await world.advance(10)
    const reason = new Error('stop')
    controller.abort(reason)
    await expect(work).rejects.toBe(reason)
    expect(world.timers).toBe(0)
    expect(kms.calls).toHaveLength(1)
  })

  it('an abort between two attempts of a batch wipes what the first one opened', async () => {
    const world = new FakeWorld()
    const kms = new ScriptedKms('scripted', { batches: true })
    const retry = new RetryKms({ kms, ...world.ports })
    world.random = 0.9
    const { wraps } = await kms.generateDataKey(call)
    const nothing = () => undefined
    kms.script = [nothing, nothing, fail('ERR_KMS_THROTTLED')]
    const controller = new AbortController()
    const { signal } = controller
    const items = Array.from({ length: 2 }, () => ({ wraps, context: {} }))
    const work = retry.unwrapMany(items, { signal })
    await world.advance(10)
    const reason = new Error('stop')
    controller.abort(reason)
    await expect(work).rejects.toBe(reason)
    expect(kms.made).toHaveLength(2)
    expect(() => kms.made[1]?.length).toThrow(TypeError)
  })

  it('an AbortError that the caller did not ask for is an outage, and retried', async () => {
    const { world, kms, retry } = setup()
    kms.always = () => {
      throw new DOMException('gone', 'AbortError')
    }
    const { signal } = new AbortController()
    const outcome = await world.settled(retry.generateDataKey({ ...call, signal }))
    expect(outcome).toMatchObject({ reason: { code: 'ERR_KMS_UNAVAILABLE', retryable: true } })
    expect(kms.calls).toHaveLength(3)
  })
})

it.each([
  { maxAttempts: 0 },
  { maxAttempts: 11 },
  { baseDelayMs: 0 },
  { throttleDelayMs: -1 },
  { maxDelayMs: Infinity },
  { budget: 0.5 },
  { retryCost: 0 },
  { throttleCost: NaN },
  { retries: 3 },
  { baseDelayMs: 101, maxDelayMs: 100 },
  { throttleDelayMs: 101, maxDelayMs: 100 },
  { baseDelayMs: 20_001 },
])('refuses %j', (config) => {
  expect(() => new RetryKms({ kms: new ScriptedKms(), ...config })).toThrow(
    expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
  )
})
