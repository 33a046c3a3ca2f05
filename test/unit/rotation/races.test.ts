import { describe, expect, it } from 'vitest'
import { createRotationStep } from '../../../src/rotation/rotation-step.ts'
import { Clock, kmsAt, MemorySource, newState, runAll } from './fixture.ts'
import { encrypted, tableOf, versionsIn } from './tables.ts'

describe('R28 races', () => {
  it('reads a value again that a writer replaced, and never writes over it', async () => {
    const source = await tableOf(3)
    const fresh = await encrypted(1, 'new')
    let isFirst = true
    source.before = (call) => {
      if (call === 'swap' && isFirst) source.set('r0001', { secret: fresh })
      isFirst &&= call !== 'swap'
    }
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...new Clock().ports })
    const { state } = await runAll(step, newState(source))
    expect(state.counts).toMatchObject({ done: 3, 'lost-race': 0 })
    expect(source.calls.slice(0, 4)).toEqual(['page', 'swap', 'read', 'swap'])
    expect(versionsIn(source)).toEqual(['2'])
    const body = (value: Uint8Array) => Buffer.from(value.subarray(-43)).toString('hex')
    expect(body(source.value('r0001') as Uint8Array)).toBe(body(fresh))
  })

  it('gives up a value that others replace each time, and finds it with the next sweep', async () => {
    const source = await tableOf(2)
    const fresh = await Promise.all(Array.from({ length: 3 }, () => encrypted()))
    source.before = (call) => {
      const next = fresh.at(-1)
      if (call === 'swap' && next !== undefined) source.set('r0001', { secret: next })
      if (call === 'swap') fresh.pop()
    }
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...new Clock().ports })
    const { state } = await runAll(step, newState(source))
    expect(state).toMatchObject({ phase: 'finished', counts: { 'lost-race': 1, done: 2 } })
    expect(versionsIn(source)).toEqual(['2'])
  })

  it('passes over a value that is gone', async () => {
    const source = await tableOf(2)
    source.before = (call) => {
      if (call === 'swap') source.rows.delete('r0000')
    }
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...new Clock().ports })
    const { state } = await runAll(step, newState(source))
    expect(state).toMatchObject({ phase: 'finished', counts: { done: 1, empty: 1, records: 2 } })
  })

  it('finds rows that a live writer puts behind the cursor under the old version', async () => {
    const source = await tableOf(6)
    const late = await encrypted()
    let pages = 0
    source.before = (call) => {
      pages += call === 'page' ? 1 : 0
      if (call === 'page' && pages === 3) source.set('a-before-all', { secret: late })
    }
    const { ports } = new Clock()
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], pageSize: 2, ...ports })
    const { state } = await runAll(step, newState(source))
    expect(state).toMatchObject({ phase: 'finished', counts: { done: 7 } })
    expect(versionsIn(source)).toEqual(['2'])
  })

  it('waits longer from sweep to sweep while writers still use old data keys', async () => {
    const source = await tableOf(1)
    const fresh = await Promise.all(Array.from({ length: 4 }, () => encrypted()))
    source.before = (call) => {
      const next = call === 'page' ? fresh.pop() : undefined
      if (next !== undefined) source.set('r0000', { secret: next })
    }
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...new Clock().ports })
    const { steps } = await runAll(step, newState(source), { records: 1 })
    expect(steps.map(({ waitMs }) => waitMs)).toEqual([0, 1_000, 2_000, 4_000, 0])
  })

  it('lets two rotators work on one table at the same time', async () => {
    const source = await tableOf(30)
    const { ports } = new Clock()
    const options = { sources: [source], pageSize: 7, ...ports }
    const ends = await Promise.all(
      [1, 2].map(() => runAll(createRotationStep({ kms: kmsAt(2), ...options }), newState(source))),
    )
    expect(versionsIn(source)).toEqual(['2'])
    expect(ends.map(({ state }) => state.phase)).toEqual(['finished', 'finished'])
    const done = ends.reduce((sum, { state }) => sum + state.counts.done, 0)
    expect(done).toBe(30)
  })

  it('refuses a source that answers the cursor that it was given, or a wrong number of outcomes', async () => {
    const source = await tableOf(3)
    const { ports } = new Clock()
    const stuck = Object.assign(new MemorySource('stuck'), {
      page: () => Promise.resolve({ records: [], cursor: 'same' }),
    })
    const stuckStep = createRotationStep({ kms: kmsAt(2), sources: [stuck], ...ports })
    await expect(runAll(stuckStep, newState(stuck))).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
    Object.assign(source, { swap: () => Promise.resolve(['swapped']) })
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...ports })
    await expect(step(newState(source))).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
  })
})
