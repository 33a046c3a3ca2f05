import { expect, it } from 'vitest'
import { type CallEvent, isKmsError, TimeoutKms } from '../../../src/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { fail, hang, ScriptedKms } from '../../support/scripted-kms.ts'

const call = { context: {} }

function setup(timeoutMs = 1_000, layer: CallEvent['layer'] = 'attempt') {
  const world = new FakeWorld()
  const kms = new ScriptedKms()
  return { world, kms, timeout: new TimeoutKms({ kms, timeoutMs, layer, ...world.ports }) }
}

it('R21 ends a call whose KMS does not listen, and aborts its signal', async () => {
  const { world, kms, timeout } = setup()
  kms.always = hang
  const started = world.now()
  const outcome = await world.settled(timeout.generateDataKey(call))
  expect(outcome).toMatchObject({ reason: { code: 'ERR_KMS_TIMEOUT', retryable: true } })
  expect(world.now() - started).toBe(1_000)
  const reason: unknown = kms.given[0]?.signal?.reason
  expect(isKmsError(reason, 'ERR_KMS_TIMEOUT')).toBe(true)
})

it('R21 an abort of the caller ends it on the next turn, with the reason of the caller', async () => {
  const { world, kms, timeout } = setup()
  kms.always = hang
  const controller = new AbortController()
  const work = timeout.generateDataKey({ ...call, signal: controller.signal })
  await world.advance(1)
  const reason = new Error('stop')
  controller.abort(reason)
  await expect(work).rejects.toBe(reason)
  expect(world.timers).toBe(0)
  expect(kms.given[0]?.signal?.reason).toBe(reason)
  expect(world.events).toMatchObject([{ type: 'call', errorType: 'aborted' }])
})

it('a late success is wiped, not given out', async () => {
  const { world, kms, timeout } = setup()
  let answer = (): void => undefined
  kms.script = [() => new Promise((resolve) => (answer = resolve))]
  expect(await world.settled(timeout.generateDataKey(call))).toMatchObject({ status: 'rejected' })
  answer()
  await world.advance(0)
  expect(kms.made).toHaveLength(1)
  expect(() => kms.made[0]?.length).toThrow(TypeError)
})

it('the late secrets of a batch are wiped too', async () => {
  const world = new FakeWorld()
  const kms = new ScriptedKms('scripted', { batches: true })
  const timeout = new TimeoutKms({ kms, timeoutMs: 10, layer: 'attempt', ...world.ports })
  const { wraps } = await kms.generateDataKey(call)
  let answer = (): void => undefined
  kms.script = [() => new Promise((resolve) => (answer = resolve))]
  const items = [{ wraps, context: {} }]
  expect(await world.settled(timeout.unwrapMany(items, {}))).toMatchObject({ status: 'rejected' })
  answer()
  await world.advance(0)
  expect(() => kms.made[1]?.length).toThrow(TypeError)
})

it('R21 hands the time that is left down, and never more than it was given', async () => {
  const { world, kms, timeout } = setup(1_000)
  await timeout.generateDataKey(call)
  await timeout.generateDataKey({ ...call, deadlineMs: world.now() + 300 })
  await timeout.generateDataKey({ ...call, deadlineMs: world.now() + 3_000 })
  expect(kms.given.map(({ deadlineMs }) => (deadlineMs ?? 0) - world.now())).toEqual([
    1_000, 300, 1_000,
  ])
})

it('the total deadline is one for a batch, the attempt timeout one for each item', async () => {
  for (const [layer, expected] of [
    ['operation', 'rejected'],
    ['attempt', 'fulfilled'],
  ] as const) {
    const { world, kms, timeout } = setup(1_000, layer)
    const { wraps } = await kms.generateDataKey(call)
    kms.always = hang
    const items = Array.from({ length: 2 }, () => ({ wraps, context: {} }))
    expect((await world.settled(timeout.unwrapMany(items, {}))).status).toBe(expected)
  }
})

it('tells how long each call took and what came of it', async () => {
  const { world, kms, timeout } = setup()
  kms.script = [
    () => {
      world.nowMs += 40
    },
    fail('ERR_KMS_THROTTLED'),
    () => {
      throw new Error('what is this')
    },
  ]
  for (let i = 0; i < 3; i++) await Promise.allSettled([timeout.generateDataKey(call)])
  const facts = { type: 'call', layer: 'attempt', provider: 'scripted' }
  expect(world.events).toEqual([
    { ...facts, operation: 'generateDataKey', durationMs: 40 },
    { ...facts, operation: 'generateDataKey', durationMs: 0, errorType: 'ERR_KMS_THROTTLED' },
    { ...facts, operation: 'generateDataKey', durationMs: 0, errorType: 'ERR_KMS_UNAVAILABLE' },
  ])
})

it('a health check that takes too long is a report, not an error', async () => {
  const { world, kms, timeout } = setup()
  kms.always = hang
  expect(await world.settled(timeout.healthCheck({}))).toMatchObject({
    value: { healthy: false, checks: [{ healthy: false, code: 'ERR_KMS_TIMEOUT' }] },
  })
})

it.each([0, 900_001, 1.5, NaN, undefined])('refuses %s as a time', (timeoutMs) => {
  const options = { kms: new ScriptedKms(), timeoutMs: timeoutMs as number, layer: 'attempt' }
  expect(() => new TimeoutKms(options as never)).toThrow(
    expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
  )
})
