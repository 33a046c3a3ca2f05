import { describe, expect, it } from 'vitest'
import {
  BulkheadKms,
  type CircuitBreakerConfig,
  CircuitBreakerKms,
  type CircuitBreakerKmsOptions,
  isKmsError,
  type KeyManagementService,
  type KmsCallOptions,
  type KmsErrorCode,
  RetryKms,
  TimeoutKms,
} from '../../../src/index.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { fail, hang, ScriptedKms } from '../../support/scripted-kms.ts'

const call = { context: {} }
const times = async (n: number, work: () => Promise<unknown>): Promise<void> => {
  for (let i = 0; i < n; i++) await work().catch(() => undefined)
}

function setup(config: CircuitBreakerConfig & Partial<CircuitBreakerKmsOptions> = {}) {
  const world = new FakeWorld()
  const kms = new ScriptedKms()
  const breaker = new CircuitBreakerKms({ kms, ...config, ...world.ports })
  const generate = () => breaker.generateDataKey(call)
  return { world, kms, breaker, generate }
}

describe('R23 opening', () => {
  it('on 5 failures in a row; then the KMS is not asked', async () => {
    const { world, kms, breaker, generate } = setup()
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    await times(5, generate)
    await expect(generate()).rejects.toMatchObject({
      code: 'ERR_KMS_UNAVAILABLE',
      retryable: true,
      retryAfterMs: 30_000,
    })
    expect(kms.calls).toHaveLength(5)
    expect(breaker.state().encrypt.phase).toBe('open')
    expect(world.events.map(({ type }) => type)).toEqual(['circuit', 'refusal'])
  })

  it('on half of at least ten calls', async () => {
    const { kms, breaker, generate } = setup()
    const flaky = [fail('ERR_KMS_TIMEOUT'), () => undefined]
    kms.script = [...flaky, ...flaky, ...flaky, ...flaky]
    await times(8, generate)
    expect(breaker.state().encrypt.phase).toBe('closed')
    kms.script = [() => undefined, fail('ERR_KMS_TIMEOUT')]
    await times(2, generate)
    expect(breaker.state().encrypt.phase).toBe('open')
  })

  it('calls that have left the window do not count', async () => {
    const { world, kms, breaker, generate } = setup()
    const flaky = [fail('ERR_KMS_TIMEOUT'), () => undefined]
    kms.script = [...flaky, ...flaky, ...flaky, ...flaky]
    await times(8, generate)
    world.nowMs += 31_000
    kms.script = [fail('ERR_KMS_TIMEOUT'), fail('ERR_KMS_TIMEOUT')]
    await times(2, generate)
    expect(breaker.state().encrypt.phase).toBe('closed')
  })

  it.each<KmsErrorCode>([
    'ERR_KMS_ACCESS_DENIED',
    'ERR_KMS_KEY_DISABLED',
    'ERR_KMS_KEY_NOT_FOUND',
    'ERR_KMS_UNAUTHENTICATED',
    'ERR_KMS_RESPONSE_INVALID',
    'ERR_DECRYPT_FAILED',
    'ERR_CONTEXT_INVALID',
    'ERR_KMS_THROTTLED',
  ])('never on %s, nor does that end a row of failures', async (code) => {
    const { kms, breaker, generate } = setup()
    kms.always = fail(code)
    await times(50, generate)
    expect(breaker.state().encrypt).toMatchObject({ phase: 'closed', buckets: [] })
    kms.script = [...Array.from({ length: 4 }, () => fail('ERR_KMS_TIMEOUT')), fail(code)]
    await times(5, generate)
    kms.always = fail('ERR_KMS_TIMEOUT')
    await times(1, generate)
    expect(breaker.state().encrypt.phase).toBe('open')
  })

  it('never on what was turned away here', async () => {
    const world = new FakeWorld()
    const kms = new ScriptedKms()
    kms.always = hang
    const bulkhead = new BulkheadKms({ kms, maxConcurrent: 1, maxQueue: 0, ...world.ports })
    const inner = new CircuitBreakerKms({ kms: bulkhead, failureThreshold: 2, ...world.ports })
    const breaker = new CircuitBreakerKms({ kms: inner, failureThreshold: 1, ...world.ports })
    void breaker.generateDataKey(call)
    await turn()
    await times(20, () => breaker.generateDataKey(call))
    expect(inner.state().encrypt.phase).toBe('closed')
    expect(breaker.state().encrypt.phase).toBe('closed')
  })

  it('never on an abort; on a deadline, if the KMS had all of it or a second', async () => {
    for (const [ms, phase] of [
      [99, 'closed'],
      [100, 'open'],
      [900, 'open'],
      [1_000, 'open'],
    ] as const) {
      const { world, kms } = setup()
      kms.always = hang
      // Ends with its signal, as a transport does.
      const inner = new TimeoutKms({ kms, timeoutMs: 60_000, layer: 'attempt', ...world.ports })
      const breaker = new CircuitBreakerKms({ kms: inner, failureThreshold: 1, ...world.ports })
      const whole = { kms: breaker, timeoutMs: ms, layer: 'operation', ...world.ports } as const
      await world.settled(new TimeoutKms(whole).generateDataKey(call))
      expect(breaker.state().encrypt.phase).toBe(phase)
    }
    const { world, kms } = setup()
    kms.always = hang
    const inner = new TimeoutKms({ kms, timeoutMs: 60_000, layer: 'attempt', ...world.ports })
    const breaker = new CircuitBreakerKms({ kms: inner, failureThreshold: 1, ...world.ports })
    const controller = new AbortController()
    const work = breaker.generateDataKey({ ...call, signal: controller.signal })
    await world.advance(5_000)
    controller.abort(new Error('stop'))
    await expect(work).rejects.toThrow('stop')
    expect(breaker.state().encrypt.phase).toBe('closed')
  })

  it('on an AbortError that the caller did not ask for', async () => {
    const { world, kms } = setup()
    kms.always = () => {
      throw new DOMException('gone', 'AbortError')
    }
    const breaker = new CircuitBreakerKms({ kms, failureThreshold: 1, ...world.ports })
    const { signal } = new AbortController()
    await breaker.generateDataKey({ ...call, signal }).catch(() => undefined)
    expect(breaker.state().encrypt.phase).toBe('open')
  })

  it('never on time in the queue, though a layer between copies the options', async () => {
    const world = new FakeWorld()
    const kms = new ScriptedKms()
    const { ports } = world
    // Ends with its signal, as a transport does.
    const inner = new TimeoutKms({ kms, timeoutMs: 60_000, layer: 'attempt', ...ports })
    const bulkhead = new BulkheadKms({ kms: inner, maxConcurrent: 1, maxWaitMs: 5_000, ...ports })
    const copying = Object.assign(Object.create(bulkhead) as KeyManagementService, {
      unwrapDataKey: () => Promise.reject(new Error('not asked')),
      generateDataKey: (options: KmsCallOptions) => bulkhead.generateDataKey({ ...options }),
    })
    const breaker = new CircuitBreakerKms({ kms: copying, failureThreshold: 1, ...ports })
    const whole = new TimeoutKms({ kms: breaker, timeoutMs: 1_500, layer: 'operation', ...ports })
    kms.script = [() => new Promise((resolve) => world.after(1_200, resolve)), hang]
    const both = [whole.generateDataKey(call), whole.generateDataKey(call)]
    const outcomes = await world.settled(Promise.allSettled(both))
    expect(outcomes).toMatchObject({ value: [{ status: 'fulfilled' }, { status: 'rejected' }] })
    expect(breaker.state().encrypt.phase).toBe('closed')
  })

  it('never on a deadline that passed in our own queue', async () => {
    const world = new FakeWorld()
    const kms = new ScriptedKms()
    const { ports } = world
    // Ends with its signal, as a transport does.
    const inner = new TimeoutKms({ kms, timeoutMs: 60_000, layer: 'attempt', ...ports })
    const bulkhead = new BulkheadKms({ kms: inner, maxConcurrent: 1, maxWaitMs: 5_000, ...ports })
    const breaker = new CircuitBreakerKms({ kms: bulkhead, failureThreshold: 1, ...ports })
    const whole = new TimeoutKms({ kms: breaker, timeoutMs: 1_500, layer: 'operation', ...ports })
    const after = (ms: number) => () =>
      new Promise<void>((resolve) => {
        world.after(ms, () => {
          resolve()
        })
      })
    // The first one holds the only place; the second waits for 1.2 s and has the KMS for 0.3 s.
    kms.script = [after(1_200), hang]
    const [first, second] = [whole.generateDataKey(call), whole.generateDataKey(call)]
    const outcomes = await world.settled(Promise.allSettled([first, second]))
    expect(outcomes).toMatchObject({
      value: [{ status: 'fulfilled' }, { reason: { code: 'ERR_KMS_TIMEOUT' } }],
    })
    expect(breaker.state().encrypt).toMatchObject({ phase: 'closed', failuresInARow: 0 })
    // Nor when its turn never comes.
    kms.script = [hang, hang]
    const holder = bulkhead.generateDataKey(call).catch(() => 'ended')
    await turn()
    const alone = new CircuitBreakerKms({ kms: bulkhead, failureThreshold: 1, ...ports })
    const late = new TimeoutKms({ kms: alone, timeoutMs: 1_500, layer: 'operation', ...ports })
    kms.calls.length = 0
    expect((await world.settled(late.generateDataKey(call))).status).toBe('rejected')
    expect(alone.state().encrypt.phase).toBe('closed')
    expect(kms.calls).toEqual([])
    expect(await world.settled(holder)).toMatchObject({ value: 'ended' })
  })

  it('one class of calls does not open another', async () => {
    const { kms, breaker, generate } = setup()
    const { wraps } = await generate()
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    await times(5, () => breaker.rewrapDataKey(wraps, call))
    await times(5, () => breaker.wrapDataKey(kms.made[0] as never, call))
    kms.always = () => undefined
    await breaker.unwrapDataKey(wraps, call)
    expect(breaker.state()).toMatchObject({
      encrypt: { phase: 'open' },
      decrypt: { phase: 'closed' },
      manage: { phase: 'open' },
    })
  })

  it('a batch is a failure if no item of it was answered', async () => {
    const world = new FakeWorld()
    const kms = new ScriptedKms('scripted', { batches: true })
    const breaker = new CircuitBreakerKms({ kms, failureThreshold: 2, ...world.ports })
    const { wraps } = await kms.generateDataKey(call)
    const items = Array.from({ length: 2 }, () => ({ wraps, context: {} }))
    const nothing = () => undefined
    const down = fail('ERR_KMS_UNAVAILABLE')
    kms.script = [nothing, down, nothing, nothing, down, down]
    await breaker.unwrapMany(items, {})
    await breaker.unwrapMany(items, {})
    expect(breaker.state().decrypt.failuresInARow).toBe(1)
    kms.script = [nothing, fail('ERR_DECRYPT_FAILED'), down]
    await breaker.unwrapMany(items, {})
    expect(breaker.state().decrypt.phase).toBe('open')
  })

  it('a health check is not counted, and goes past an open circuit', async () => {
    const { kms, breaker, generate } = setup()
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    await times(9, () => breaker.healthCheck({}))
    expect(breaker.state().encrypt.phase).toBe('closed')
    await times(5, generate)
    kms.always = () => undefined
    expect((await breaker.healthCheck({})).healthy).toBe(true)
  })
})

describe('R23 half-open', () => {
  async function opened(config: CircuitBreakerConfig = {}) {
    const all = setup(config)
    all.kms.always = fail('ERR_KMS_UNAVAILABLE')
    await times(5, all.generate)
    all.kms.calls.length = 0
    all.kms.always = () => undefined
    return all
  }

  it('lets as many probes through as must succeed, refuses the rest, and closes', async () => {
    const { world, kms, breaker, generate } = await opened({ successThreshold: 2 })
    world.nowMs += 30_000
    const answers: (() => void)[] = []
    kms.always = () => new Promise((resolve) => answers.push(resolve))
    const calls = Promise.allSettled(Array.from({ length: 5 }, generate))
    await turn()
    expect(kms.calls).toHaveLength(2)
    answers[0]?.()
    await turn()
    expect(breaker.state().encrypt.phase).toBe('half-open')
    answers[1]?.()
    const outcomes = await calls
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
      'rejected',
    ])
    expect(breaker.state().encrypt.phase).toBe('closed')
  })

  it('a failed probe opens it for the whole time again', async () => {
    const { world, kms, breaker, generate } = await opened()
    world.nowMs += 30_000
    kms.script = [fail('ERR_KMS_TIMEOUT')]
    await times(3, generate)
    expect(kms.calls).toHaveLength(1)
    world.nowMs += 29_999
    await times(3, generate)
    expect(kms.calls).toHaveLength(1)
    world.nowMs += 1
    await generate()
    expect(breaker.state().encrypt.phase).toBe('closed')
  })

  it('a caller mistake gives the probe to the next one', async () => {
    const { world, kms, breaker, generate } = await opened()
    world.nowMs += 30_000
    kms.script = [fail('ERR_KMS_ACCESS_DENIED')]
    await times(1, generate)
    expect(breaker.state().encrypt.phase).toBe('half-open')
    await generate()
    expect(breaker.state().encrypt.phase).toBe('closed')
  })

  it('a probe that never comes back is given up', async () => {
    const { world, kms, breaker, generate } = await opened()
    world.nowMs += 30_000
    kms.script = [hang]
    void generate()
    await turn()
    await times(3, generate)
    expect(kms.calls).toHaveLength(1)
    world.nowMs += 30_000
    await generate()
    expect(breaker.state().encrypt.phase).toBe('closed')
  })

  it('a late success from before the opening does not close it', async () => {
    const { world, kms, breaker, generate } = setup()
    let answer = (): void => undefined
    kms.script = [() => new Promise((resolve) => (answer = resolve))]
    const late = generate()
    await turn()
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    await times(5, generate)
    world.nowMs += 30_000
    kms.script = [hang]
    void generate()
    await turn()
    expect(breaker.state().encrypt.phase).toBe('half-open')
    answer()
    await late
    expect(breaker.state().encrypt.phase).toBe('half-open')
  })
})

it('R20 what the circuit refuses is not retried', async () => {
  const { world, kms, breaker } = setup()
  kms.always = fail('ERR_KMS_UNAVAILABLE')
  const retry = new RetryKms({ kms: breaker, maxAttempts: 10, ...world.ports })
  await world.settled(retry.generateDataKey(call))
  expect(kms.calls).toHaveLength(5)
  expect(world.events.filter(({ type }) => type === 'retry')).toHaveLength(5)
})

describe('state that was kept', () => {
  it('goes on where it was', async () => {
    const { kms, world, breaker, generate } = setup()
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    await times(5, generate)
    const state = JSON.parse(JSON.stringify(breaker.state())) as ReturnType<typeof breaker.state>
    const next = new CircuitBreakerKms({ kms, state, ...world.ports })
    kms.calls.length = 0
    await times(3, () => next.generateDataKey(call))
    expect(kms.calls).toHaveLength(0)
  })

  it('forgets probes that were on their way, and nothing else', async () => {
    const { kms, world, breaker } = setup()
    const kept = breaker.state()
    const buckets = Array.from({ length: 10 }, (_, n) => ({ n, calls: 1, failures: 0 }))
    const half = { ...kept.encrypt, phase: 'half-open', epoch: 3, probing: 1, buckets } as const
    const state = { ...kept, encrypt: half }
    const next = new CircuitBreakerKms({ kms, state, ...world.ports })
    expect(next.state().encrypt).toEqual({ ...half, probing: 0 })
    await next.generateDataKey(call)
    expect(next.state().encrypt.phase).toBe('closed')
  })

  it.each([
    { phase: 'ajar' },
    { epoch: -1 },
    { untilMs: 'soon' },
    { buckets: null },
    { buckets: Array.from({ length: 11 }, (_, n) => ({ n, calls: 1, failures: 0 })) },
    { buckets: [{ n: 1.5, calls: 2, failures: 0 }] },
    { buckets: [{ n: 1, calls: 2, failures: NaN }] },
    { epoch: 0.5 },
    { untilMs: Infinity },
    { failuresInARow: -1 },
    { failuresInARow: '0' },
    { passed: -1 },
    { buckets: [{ n: 1, calls: '2', failures: 0 }] },
  ])('is refused if it is none: %j', (change) => {
    const { kms, breaker } = setup()
    const state = breaker.state()
    const broken = { ...state, encrypt: { ...state.encrypt, ...change } }
    expect(() => new CircuitBreakerKms({ kms, state: broken as never })).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  })
})

it.each([
  { failureThreshold: 0 },
  { failureRate: 0 },
  { failureRate: 1.1 },
  { failureRate: '0.5' },
  { windowMs: 999 },
  { minCalls: 0 },
  { resetTimeoutMs: 99 },
  { successThreshold: 101 },
  { treshold: 3 },
])('refuses %j', (config) => {
  const options = { kms: new ScriptedKms(), ...config } as CircuitBreakerKmsOptions
  const error = (() => {
    try {
      return new CircuitBreakerKms(options)
    } catch (caught) {
      return caught
    }
  })()
  expect(isKmsError(error, 'ERR_KMS_CONFIG')).toBe(true)
})
