import { describe, expect, it, vi } from 'vitest'
import { verifyAuditLog } from '../../../src/observability/index.ts'
import { turn } from '../../support/fake-world.ts'
import { fail, hang } from '../../support/scripted-kms.ts'
import { call, macKey, setup } from './audit-fixture.ts'

const down = (): Promise<never> => Promise.reject(new Error('down'))

describe('R32 fail-closed', () => {
  it.each([
    ['down', down],
    ['hanging', hang],
  ] as const)('a sink that is %s: nothing is given out, the DEK is wiped', async (_, before) => {
    const { kms, inner, sink, world } = setup()
    sink.before = before
    const startMs = world.now()
    const outcome = await world.settled(kms.generateDataKey(call))
    expect(outcome).toMatchObject({
      reason: {
        code: 'ERR_STORE_UNAVAILABLE',
        retryable: true,
        message: expect.any(String) as string,
      },
    })
    expect(world.now() - startMs).toBe(1_000)
    expect(() => inner.made[0]?.length).toThrow(TypeError)
    expect(world.events).toMatchObject([{ type: 'audit-loss', operation: 'generateDataKey' }])
    expect(world.timers).toBe(0)
  })

  it('a sink that fails for a moment costs a moment, and no operation', async () => {
    const { kms, sink, log, world } = setup()
    let failures = 3
    sink.before = () => (failures-- > 0 ? down() : undefined)
    const startMs = world.now()
    expect((await world.settled(kms.generateDataKey(call))).status).toBe('fulfilled')
    expect(world.now() - startMs).toBe(25 + 50 + 100)
    expect(log).toHaveLength(1)
    expect(world.events).toEqual([])
  })

  it('the secrets of a batch are wiped too', async () => {
    const { kms, inner, sink, world } = setup()
    const { wraps } = await inner.generateDataKey(call)
    sink.before = down
    const items = [{ wraps, context: call.context }]
    expect((await world.settled(kms.unwrapMany(items, {}))).status).toBe('rejected')
    expect(() => inner.made[1]?.length).toThrow(TypeError)
  })

  it('an operation that failed keeps its error', async () => {
    const { kms, inner, sink, world } = setup()
    sink.before = down
    inner.always = fail('ERR_KMS_THROTTLED')
    expect(await world.settled(kms.generateDataKey(call))).toMatchObject({
      reason: { code: 'ERR_KMS_THROTTLED' },
    })
  })

  it('a caller that aborts does not wait for the record, which is written all the same', async () => {
    const { kms, inner, sink, log, world } = setup()
    let go = (): void => undefined
    sink.before = () => new Promise<void>((resolve) => (go = resolve))
    const control = new AbortController()
    const work = kms.generateDataKey({ ...call, signal: control.signal })
    await turn()
    control.abort(new Error('gone'))
    await expect(work).rejects.toThrow('gone')
    expect(() => inner.made[0]?.length).toThrow(TypeError)
    go()
    await turn()
    expect(log).toHaveLength(1)
    expect(world.timers).toBe(0)
  })

  it('what could not be written goes along with the next write: the log has no hole', async () => {
    const { kms, sink, log, world } = setup()
    sink.before = down
    for (let i = 0; i < 3; i++) await world.settled(kms.generateDataKey(call))
    sink.before = () => undefined
    for (let i = 0; i < 5; i++) await kms.generateDataKey(call)
    expect(log.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect((await verifyAuditLog(log, { macKey })).problems).toEqual([])
  })
})

describe('R32 fail-open', () => {
  it('goes on, keeps the write alive, and counts what is not safe', async () => {
    const { kms, sink, world } = setup({ mode: 'open' })
    sink.before = hang
    const deferred: Promise<unknown>[] = []
    const defer = (work: Promise<unknown>): void => void deferred.push(work)
    const { plaintext } = await kms.generateDataKey({ ...call, defer })
    expect(plaintext.length).toBe(32)
    expect(deferred.length).toBeGreaterThan(0)
    await world.advance(1_000)
    expect(world.events).toMatchObject([{ type: 'audit-loss' }])
    await Promise.all(deferred)
    expect(world.timers).toBe(0)
  })

  it('writes by itself what came while another batch was under way', async () => {
    const { kms, log, sink, world } = setup({ mode: 'open' })
    sink.before = turn
    for (let i = 0; i < 500; i++) await kms.generateDataKey(call)
    for (let i = 0; i < 30; i++) await turn()
    expect(log).toHaveLength(500)
    expect(world.timers).toBe(0)
  })
})

describe.each(['open', 'closed'] as const)('a queue that is full, %s', (mode) => {
  it('is as large as it says; what is lost is counted, and recorded in the log', async () => {
    const { kms, sink, log, world } = setup({ mode, maxQueueBytes: 10_000 })
    sink.before = down
    const outcomes = Array.from({ length: 100 }, () => kms.generateDataKey(call))
    const settled = await world.settled(Promise.allSettled(outcomes))
    if (settled.status === 'rejected') throw new Error('never')
    const codes = settled.value.flatMap((one) =>
      one.status === 'rejected' ? [(one.reason as { readonly code: string }).code] : [],
    )
    expect(codes).toHaveLength(mode === 'closed' ? 100 : 0)
    expect(new Set(codes).size).toBe(mode === 'closed' ? 1 : 0)
    expect(codes[0] ?? 'ERR_STORE_UNAVAILABLE').toBe('ERR_STORE_UNAVAILABLE')
    await world.advance(1_000)
    expect(world.events).toHaveLength(100)
    sink.before = () => undefined
    for (let i = 0; i < 10; i++) {
      await world.settled(kms.generateDataKey(call).catch(() => undefined))
      await world.advance(10)
    }
    const bytes = log
      .slice(0, -10)
      .reduce((sum, { event }) => sum + JSON.stringify([event]).length, 0)
    expect(bytes).toBeLessThanOrEqual(10_000)
    const verdict = await verifyAuditLog(log, { macKey })
    expect(verdict.problems).toEqual([])
    expect(verdict.lost).toBeGreaterThan(0)
    expect(log.length + verdict.lost).toBe(110)
    expect(verdict.ok).toBe(false)
  })
})

describe('many at the same time', () => {
  it('cost one digest each, and few writes', async () => {
    const { kms, log, sink } = setup()
    const digest = vi.spyOn(crypto.subtle, 'sign')
    await Promise.all(Array.from({ length: 3_000 }, () => kms.generateDataKey(call)))
    expect(digest).toHaveBeenCalledTimes(3_000)
    digest.mockRestore()
    expect(log.map(({ seq }) => seq)).toEqual(Array.from({ length: 3_000 }, (_, seq) => seq))
    expect(sink.sizes.length).toBeLessThan(12)
    expect(Math.max(...sink.sizes)).toBeLessThanOrEqual(1_000)
  })

  it('wait together for a slow sink: batches stop growing, and no operation fails', async () => {
    const { kms, sink, log, world } = setup()
    const sleep = (ms: number) => new Promise<void>((resolve) => void world.after(ms, resolve))
    let now = 0
    const write = sink.write.bind(sink)
    sink.write = async (records) => {
      expect(++now).toBe(1)
      // Four milliseconds for each record: 250 at most fit into the time.
      await sleep(records.length * 4)
      now -= 1
      await write(records)
    }
    const all = Promise.all(Array.from({ length: 2_000 }, () => kms.generateDataKey(call)))
    expect((await world.settled(all)).status).toBe('fulfilled')
    expect(log).toHaveLength(2_000)
    expect(Math.max(...sink.sizes)).toBeLessThanOrEqual(128)
    expect(world.events).toEqual([])
  })

  it('one that dies while it hashes or writes is replaced, and nothing is hashed again', async () => {
    const { kms, log, sink, world } = setup()
    const digest = vi
      .spyOn(crypto.subtle, 'sign')
      .mockImplementationOnce(() => new Promise(() => undefined))
    const work = Promise.all([1, 2, 3].map(() => kms.generateDataKey(call)))
    expect((await world.settled(work)).status).toBe('fulfilled')
    expect(digest).toHaveBeenCalledTimes(4)
    digest.mockRestore()
    expect(log.map(({ seq }) => seq)).toEqual([0, 1, 2])
    // A request that ended takes its timers with it: the write never settles, nor times out.
    sink.before = hang
    const after = world.after.bind(world)
    let cut = 2
    world.after = (ms, callback) =>
      ms === 1_000 && cut-- > 0 ? () => undefined : after(ms, callback)
    const first = kms.generateDataKey(call)
    await turn()
    sink.before = () => undefined
    const second = kms.generateDataKey(call)
    expect((await world.settled(Promise.all([first, second]))).status).toBe('fulfilled')
    expect(log.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4])
    expect((await verifyAuditLog(log, { macKey })).problems).toEqual([])
  })

  it('are recorded although each digest takes longer than a flight may be quiet', async () => {
    const { kms, log, world } = setup()
    const sign = crypto.subtle.sign.bind(crypto.subtle)
    const slow = vi.spyOn(crypto.subtle, 'sign').mockImplementation(async (...args) => {
      await new Promise<void>((resolve) => void world.after(2_000, resolve))
      return sign(...args)
    })
    const work = Promise.all([1, 2, 3, 4].map(() => kms.generateDataKey(call)))
    expect((await world.settled(work)).status).toBe('fulfilled')
    slow.mockRestore()
    expect(new Set(log.map(({ seq }) => seq)).size).toBe(4)
    expect((await verifyAuditLog(log, { macKey, slack: 8 })).problems).toEqual([])
  })
})
