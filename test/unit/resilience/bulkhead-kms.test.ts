import { expect, it } from 'vitest'
import { type BulkheadConfig, BulkheadKms } from '../../../src/index.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { fail, hang, ScriptedKms } from '../../support/scripted-kms.ts'

const call = { context: {} }

function setup(config: BulkheadConfig = {}) {
  const world = new FakeWorld()
  const kms = new ScriptedKms()
  const answers: (() => void)[] = []
  kms.always = () => new Promise((resolve) => answers.push(resolve))
  return { world, kms, answers, bulkhead: new BulkheadKms({ kms, ...config, ...world.ports }) }
}

it('R25 four calls are in flight, the others wait and follow one by one', async () => {
  const { kms, answers, bulkhead } = setup()
  const calls = Array.from({ length: 7 }, () => bulkhead.generateDataKey(call))
  await turn()
  expect(kms.calls).toHaveLength(4)
  expect(bulkhead.stats()).toEqual({ inFlight: 4, queued: 3 })
  answers[0]?.()
  await turn()
  expect(kms.calls).toHaveLength(5)
  for (let i = 1; i < 7; i++) {
    answers[i]?.()
    await turn()
  }
  expect((await Promise.allSettled(calls)).every(({ status }) => status === 'fulfilled')).toBe(true)
  expect(bulkhead.stats()).toEqual({ inFlight: 0, queued: 0 })
})

it('R25 a full queue sheds at once, with a code and without a call', async () => {
  const { world, kms, bulkhead } = setup({ maxConcurrent: 1, maxQueue: 2 })
  const held = Array.from({ length: 3 }, () => bulkhead.generateDataKey(call))
  await turn()
  await expect(bulkhead.generateDataKey(call)).rejects.toMatchObject({
    code: 'ERR_KMS_THROTTLED',
    retryable: true,
  })
  expect(kms.calls).toHaveLength(1)
  expect(world.events).toEqual([
    { type: 'refusal', by: 'bulkhead', provider: 'scripted', operation: 'generateDataKey' },
  ])
  for (const work of held) work.catch(() => undefined)
})

it('R25 a wait that is too long ends on the timer of the one who waits', async () => {
  const { world, bulkhead } = setup({ maxConcurrent: 1, maxWaitMs: 200 })
  void bulkhead.generateDataKey(call)
  const waiting = bulkhead.generateDataKey(call)
  await turn()
  const started = world.now()
  expect(await world.settled(waiting)).toMatchObject({ reason: { code: 'ERR_KMS_THROTTLED' } })
  expect(world.now() - started).toBe(200)
  expect(bulkhead.stats().queued).toBe(0)
})

it('an abort ends the wait, and leaves neither timer nor place in the queue', async () => {
  const { world, bulkhead } = setup({ maxConcurrent: 1 })
  void bulkhead.generateDataKey(call)
  const controller = new AbortController()
  const waiting = bulkhead.generateDataKey({ ...call, signal: controller.signal })
  await turn()
  const reason = new Error('stop')
  controller.abort(reason)
  await expect(waiting).rejects.toBe(reason)
  expect(bulkhead.stats().queued).toBe(0)
  expect(world.timers).toBe(0)
})

it('a failed call gives its place back', async () => {
  const { kms, bulkhead } = setup({ maxConcurrent: 1, maxQueue: 0 })
  kms.always = fail('ERR_KMS_UNAVAILABLE')
  for (let i = 0; i < 3; i++)
    await expect(bulkhead.generateDataKey(call)).rejects.toMatchObject({
      code: 'ERR_KMS_UNAVAILABLE',
    })
})

it('R25 the place of a request that died comes back, also to one that waits', async () => {
  const { world, kms, bulkhead } = setup({ maxConcurrent: 1, maxWaitMs: 300, maxHoldMs: 250 })
  kms.script = [hang, () => undefined]
  void bulkhead.generateDataKey(call)
  const waiting = bulkhead.generateDataKey(call)
  expect(await world.settled(waiting)).toMatchObject({ status: 'fulfilled' })
})

it('R25 who waits and is dead, by twice the time that anybody waits, has no place in the queue', async () => {
  const { world, bulkhead } = setup({ maxConcurrent: 1, maxQueue: 1, maxWaitMs: 1_000 })
  void bulkhead.generateDataKey(call)
  // Its timer never fires: on Workers it went with its request.
  void bulkhead.generateDataKey(call)
  await turn()
  const after = async (ms: number) => {
    world.nowMs += ms
    const work = bulkhead.generateDataKey(call)
    work.catch(() => undefined)
    await turn()
    return world.events.length
  }
  expect(await after(2_000)).toBe(1)
  expect(await after(1)).toBe(1)
  expect(bulkhead.stats().queued).toBe(1)
})

it('a clock that is put back frees what it cannot judge', async () => {
  const { world, kms, bulkhead } = setup({ maxConcurrent: 1, maxQueue: 0 })
  kms.script = [hang, () => undefined]
  void bulkhead.generateDataKey(call)
  await turn()
  world.nowMs -= 3_600_000
  expect(await world.settled(bulkhead.generateDataKey(call))).toMatchObject({ status: 'fulfilled' })
})

it.each([
  { maxConcurrent: 0 },
  { maxQueue: -1 },
  { maxWaitMs: 0 },
  { maxHoldMs: 0.5 },
  { concurrent: 3 },
])('refuses %j', (config) => {
  expect(() => new BulkheadKms({ kms: new ScriptedKms(), ...config })).toThrow(
    expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
  )
})
