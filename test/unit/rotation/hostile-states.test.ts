// States that were edited, that come from elsewhere, or that are gone.
import { describe, expect, it } from 'vitest'
import { createRotationStep, KeyRotationManager } from '../../../src/rotation/index.ts'
import type { RotationState } from '../../../src/rotation/rotation-state.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import type { RotationStateStore } from '../../../src/rotation/state-store.ts'
import { Clock, kmsAt, newState, runAll } from './fixture.ts'
import { tableOf, versionsIn } from './tables.ts'

const stepOf = async () => {
  const source = await tableOf(5)
  const step = createRotationStep({
    kms: kmsAt(2),
    sources: [source],
    pageSize: 2,
    ...new Clock().ports,
  })
  return { source, step, start: newState(source) }
}

describe('a state that no step returned', () => {
  it.each<[string, (state: RotationState) => unknown]>([
    ['a source that is null', (state) => ({ ...state, sources: [null] })],
    ['no target', ({ target: _, ...state }) => state],
    ['a target of texts', (state) => ({ ...state, target: ['x'] })],
    ['no quarantine', ({ quarantine: _, ...state }) => state],
    ['a quarantine of numbers', (state) => ({ ...state, quarantine: [1] })],
    ['no forgiven failures', ({ forgiven: _, ...state }) => state],
    ['forgiven failures that are not numbers', (state) => ({ ...state, forgiven: 'all' })],
    ['counts without names', (state) => ({ ...state, counts: {} })],
    [
      'counts that are not numbers',
      (state) => ({ ...state, counts: { ...state.counts, done: null } }),
    ],
    ['a sample that is null', (state) => ({ ...state, samples: [null] })],
    ['no start', ({ startedAtMs: _, ...state }) => state],
    ...(
      [
        ['cursor', 7],
        ['cursor', 'x'.repeat(1_025)],
        ['sweep', 0],
        ['sweep', '1'],
        ['done', 'no'],
        ['changed', undefined],
        ['stalls', Number.NaN],
        ['doneHere', undefined],
        ['counts', {}],
        ['fingerprint', 5],
      ] as const
    ).map(([name, value]): [string, (state: RotationState) => unknown] => [
      `a source with ${name} ${JSON.stringify(value)?.slice(0, 10)}`,
      (state) => ({ ...state, sources: state.sources.map((one) => ({ ...one, [name]: value })) }),
    ]),
  ])('is refused with ERR_KMS_CONFIG: %s', async (_, edit) => {
    const { step, start } = await stepOf()
    await expect(step(edit(start) as RotationState)).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
    })
  })

  it('accepts every state of a job', async () => {
    const { step, start, source } = await stepOf()
    const { state } = await runAll(step, start)
    expect(state.phase).toBe('finished')
    expect(versionsIn(source)).toEqual(['2'])
    await expect(step(state)).resolves.toMatchObject({ read: 0 })
  })
})

/** A state store that a test may empty, and whose answers it may change. */
function storeOf(texts = new Map<string, string>()) {
  const store: RotationStateStore = {
    load: (key) => Promise.resolve(texts.get(key)),
    save(key, expected, next) {
      if (texts.get(key) !== expected) return Promise.resolve(false)
      texts.set(key, next)
      return Promise.resolve(true)
    },
  }
  return { texts, store }
}

describe('a state store', () => {
  it('that loses the state in the middle of a run costs a beginning, and no error', async () => {
    const { texts, store } = storeOf()
    const source = await tableOf(7)
    const clock = new Clock()
    const options = { kms: kmsAt(2), sources: [source], pageSize: 2, states: store, ...clock.ports }
    let lost = 0
    source.before = (call) => {
      if (call === 'swap' && (lost += 1) < 3) texts.clear()
    }
    const result = await runRotation(new KeyRotationManager(options))
    expect(lost).toBeGreaterThan(2)
    expect(result.phase).toBe('finished')
    expect(versionsIn(source)).toEqual(['2'])
  })

  it.each([
    ['null, as many clients do', null],
    ['bytes', new Uint8Array(3)],
    ['an object', {}],
  ])('that answers %s is told so, and never mistaken for a state', async (_, answer) => {
    const { store } = storeOf()
    const states = { ...store, load: () => Promise.resolve(answer as never) }
    const manager = new KeyRotationManager({
      kms: kmsAt(2),
      sources: [await tableOf(1)],
      states,
      ...new Clock().ports,
    })
    await expect(manager.status()).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      message: expect.stringContaining('text or undefined') as string,
    })
  })
})
