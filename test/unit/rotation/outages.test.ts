import { describe, expect, it } from 'vitest'
import { KmsError, kmsByContext } from '../../../src/index.ts'
import { createRotationStep } from '../../../src/rotation/rotation-step.ts'
import type { RotationState } from '../../../src/rotation/rotation-state.ts'
import {
  cipherAt,
  Clock,
  kmsAt,
  MemorySource,
  newState,
  runAll,
  StagedKms,
  utf8,
} from './fixture.ts'

const context = { tenant: 'acme' }

async function table(rows: number, reuse = false): Promise<MemorySource> {
  const source = new MemorySource()
  const writer = cipherAt(1, reuse ? {} : { cache: false })
  for (let i = 0; i < rows; i += 1)
    source.set(`r${String(i)}`, { secret: await writer.encrypt(utf8('x'), { context }) })
  return source
}

const down = new KmsError('ERR_KMS_UNAVAILABLE')

describe('R28 outages', () => {
  it('ends the step at an outage of the KMS and leaves the cursor, with a longer wait each time', async () => {
    const source = await table(3)
    const kms = new StagedKms(kmsAt(2))
    kms.stage = (operation) => {
      if (operation === 'unwrapDataKey') throw down
    }
    const { ports } = new Clock()
    const step = createRotationStep({ kms, sources: [source], ...ports })
    const waits: number[] = []
    let state: RotationState = newState(source)
    for (let i = 0; i < 4; i += 1) {
      const result = await step(state)
      expect(result.outage).toMatchObject({ from: 'kms', error: { code: 'ERR_KMS_UNAVAILABLE' } })
      waits.push(result.waitMs)
      state = result.state
    }
    expect(waits).toEqual([750, 1500, 3000, 6000])
    expect(state.phase).toBe('running')
    expect(state.sources[0]).toMatchObject({ stalls: 4, sweep: 1 })
    expect(state.counts).toMatchObject({ done: 0, corrupt: 0, denied: 0, records: 0 })
    kms.stage = () => undefined
    const { state: end } = await runAll(step, state)
    expect(end.counts).toMatchObject({ records: 3, done: 3, current: 0, outage: 0 })
  })

  it('counts a value once that was replaced before the outage ended the step', async () => {
    const source = await table(8)
    const kms = new StagedKms(kmsAt(2))
    let left = 4
    kms.stage = (operation) => {
      if (operation === 'unwrapDataKey' && left-- <= 0) throw down
    }
    const { ports } = new Clock()
    const step = createRotationStep({ kms, sources: [source], concurrency: 1, ...ports })
    const first = await step(newState(source))
    expect(first.outage).toBeDefined()
    expect(first.counts).toMatchObject({ done: 2, current: 0, records: 0 })
    kms.stage = () => undefined
    const { state } = await runAll(step, first.state)
    expect(state.counts).toMatchObject({ records: 8, done: 8, current: 0 })
  })

  it('waits as long as the vendor asks', async () => {
    const source = await table(1)
    const kms = new StagedKms(kmsAt(2))
    kms.stage = (operation) => {
      if (operation === 'unwrapDataKey')
        throw new KmsError('ERR_KMS_THROTTLED', { retryAfterMs: 42_000 })
    }
    const { ports } = new Clock()
    const step = createRotationStep({ kms, sources: [source], ...ports })
    expect((await step(newState(source))).waitMs).toBe(42_000)
  })

  it.each(['page', 'swap'] as const)('repeats the page if %s of the source fails', async (name) => {
    const source = await table(2)
    source.before = (call) => {
      if (call === name) throw new Error('password=hunter2')
    }
    const { ports } = new Clock()
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...ports })
    const failed = await step(newState(source))
    expect(failed.outage).toMatchObject({ from: 'source', source: 'users' })
    expect(failed.outage?.error.message).not.toContain('hunter2')
    source.before = () => undefined
    const { state } = await runAll(step, failed.state)
    expect(state.counts).toMatchObject({ records: 2, done: 2 })
  })

  it('finds done what was replaced by a swap whose answer was lost', async () => {
    const source = await table(2)
    let isLost = true
    source.afterSwap = () => {
      if (isLost) throw new Error('connection reset')
    }
    const { ports } = new Clock()
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...ports })
    const lost = await step(newState(source))
    isLost = false
    const { state } = await runAll(step, lost.state)
    expect(state.counts).toMatchObject({ records: 2, current: 2, done: 0 })
  })

  it('does not advance before the sink has the failures', async () => {
    const source = await table(1)
    source.set('bad', { secret: 'ek1.!' })
    const told: string[] = []
    let isDown = true
    const { ports } = new Clock()
    const failures = (list: readonly { readonly id: string }[]): void => {
      if (isDown) throw new Error('sink')
      told.push(...list.map(({ id }) => id))
    }
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], failures, ...ports })
    const first = await step(newState(source))
    expect(first.outage).toMatchObject({ from: 'failure-sink' })
    expect(first.state).toMatchObject({ quarantine: [], samples: [], counts: { corrupt: 0 } })
    isDown = false
    const { state } = await runAll(step, first.state)
    expect(told).toEqual(['bad'])
    expect(state.counts).toMatchObject({ corrupt: 1, records: 2 })
  })

  it('goes on behind a page after five stalls, and comes back to it with the next sweep', async () => {
    const source = await table(4)
    const poison = source.value('r0') as Uint8Array
    const kms = new StagedKms(kmsAt(2))
    let isPoisonous = true
    kms.stage = (operation, { wraps }) => {
      const [wrap] = wraps ?? []
      const has = wrap !== undefined && Buffer.from(poison).includes(Buffer.from(wrap.wrapped))
      if (operation === 'unwrapDataKey' && has && isPoisonous) throw down
    }
    const { ports } = new Clock()
    const step = createRotationStep({
      kms,
      sources: [source],
      pageSize: 2,
      concurrency: 1,
      ...ports,
    })
    let state: RotationState = newState(source)
    for (let i = 0; i < 5; i += 1) state = (await step(state)).state
    expect(state.sources[0]).toMatchObject({ stalls: 0, sweep: 1, cursor: 'r1' })
    expect(state.counts).toMatchObject({ done: 1, outage: 1 })
    state = (await step(state)).state
    expect(state.counts).toMatchObject({ done: 3, outage: 1 })
    isPoisonous = false
    const { state: end } = await runAll(step, state)
    expect(end).toMatchObject({ phase: 'finished', counts: { done: 4, outage: 1 } })
  })

  it("does not let one customer's outage stop the rotation of the others", async () => {
    const source = new MemorySource()
    const stacks = new Map<string, StagedKms>()
    const byTenant = (version: number) =>
      kmsByContext({
        keyFor: ({ tenant = '' }) => tenant,
        create: (tenant) => {
          const kms = new StagedKms(kmsAt(version, tenant))
          stacks.set(tenant, kms)
          if (version === 2 && tenant === 'b')
            kms.stage = () => {
              throw down
            }
          return kms
        },
      })
    const writer = cipherAt(1, { kms: byTenant(1) })
    for (const tenant of ['a', 'b', 'c'])
      source.set(tenant, { secret: await writer.encrypt(utf8('x'), { context: { tenant } }) })
    const { ports } = new Clock()
    const step = createRotationStep({ kms: byTenant(2), sources: [source], ...ports })
    const { state } = await step(newState(source), { records: 3 })
    expect(state.counts).toMatchObject({ done: 2, outage: 1 })
    expect(state).toMatchObject({ phase: 'running', target: [], sources: [{ sweep: 2 }] })
    const b = stacks.get('b') as StagedKms
    b.stage = () => undefined
    const { state: end } = await runAll(step, state)
    expect(end).toMatchObject({ phase: 'finished', counts: { done: 3 } })
  })

  it('waits while the KMS wraps under another version than it says is current', async () => {
    const source = await table(1)
    const kms = new StagedKms(kmsAt(1))
    const ahead = [{ provider: 'local', kekId: 'app', kekVersion: '2' }]
    kms.stage = (operation) => (operation === 'currentVersion' ? ahead : undefined)
    const before = source.value('r0')
    const { ports } = new Clock()
    const step = createRotationStep({ kms, sources: [source], ...ports })
    const result = await step(newState(source))
    expect(result.outage).toMatchObject({ from: 'kms', error: { code: 'ERR_KMS_UNAVAILABLE' } })
    expect(source.value('r0')).toBe(before)
  })

  it('ends a source that never answers at its bound', async () => {
    const source = await table(1)
    source.before = () => new Promise<void>(() => undefined)
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], sourceTimeoutMs: 10 })
    expect((await step(newState(source))).outage).toMatchObject({ from: 'source' })
  })
})
