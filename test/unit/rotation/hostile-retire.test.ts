// Retirement before values, states and lifecycles that lie: it refuses, and never disables or destroys by mistake.
import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, type KekVersion } from '../../../src/index.ts'
import type { KeyLifecycle } from '../../../src/kms/index.ts'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import type { KeyRotationManagerOptions } from '../../../src/rotation/manager-options.ts'
import type { RetireOptions } from '../../../src/rotation/retire-options.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import type { RotationStateStore } from '../../../src/rotation/state-store.ts'
import { cipherAt, Clock, kmsAt, StagedKms, utf8 } from './fixture.ts'
import { encrypted, tableOf } from './tables.ts'

const version: KekVersion = { provider: 'local', kekId: 'app', kekVersion: '1' }
const NO_WAIT = { ttlMs: 0, maxStaleMs: 0, encryptForMs: 0 }
const DAY_MS = 86_400_000

/** A lifecycle of which a test decides every answer. */
function lifecycleOf(answers: Partial<Record<keyof KeyLifecycle, unknown>> = {}) {
  const calls: string[] = []
  const answer = (name: keyof KeyLifecycle, standard: unknown) => () => {
    calls.push(name)
    return Promise.resolve((name in answers ? answers[name] : standard) as never)
  }
  const lifecycle: KeyLifecycle = {
    provider: 'local',
    stateOf: answer('stateOf', 'enabled'),
    disable: answer('disable', undefined),
    enable: answer('enable', undefined),
    scheduleDestruction: answer('scheduleDestruction', {}),
    cancelDestruction: answer('cancelDestruction', undefined),
    lastUsedAtMs: answer('lastUsedAtMs', undefined),
  }
  const changes = () => calls.filter((name) => !['stateOf', 'lastUsedAtMs'].includes(name))
  return { lifecycle, changes }
}

async function world(options: Partial<KeyRotationManagerOptions> = {}) {
  const source = await tableOf(2)
  const clock = new Clock()
  const texts = new Map<string, string>()
  const states: RotationStateStore = {
    load: (key) => Promise.resolve(texts.get(key)),
    save: (key, _expected, next) => Promise.resolve(texts.set(key, next).size > 0),
  }
  const manager = new KeyRotationManager({
    kms: kmsAt(2),
    sources: [source],
    states,
    ...clock.ports,
    ...options,
  })
  await runRotation(manager)
  const retire = (lifecycle: KeyLifecycle, more: Partial<RetireOptions> = {}) =>
    manager.retire({ version, lifecycle, ...more })
  /** Edits the stored record of the retirement. */
  const edit = (fields: object): void => {
    const [name = '', text = '{}'] = [...texts].find(([key]) => key.startsWith('retire-')) ?? []
    texts.set(name, JSON.stringify({ ...(JSON.parse(text) as object), ...fields }))
  }
  return { source, clock, retire, edit }
}

describe('a lifecycle that answers something else than its interface promises', () => {
  it.each([undefined, null, 'Enabled', '', 'creating', {}, true])(
    'changes nothing where stateOf answers %j',
    async (stateOf) => {
      const { retire } = await world()
      const { lifecycle, changes } = lifecycleOf({ stateOf })
      const options = { destroy: true, destroyAfterMs: 0, writers: NO_WAIT }
      await expect(retire(lifecycle, options)).rejects.toMatchObject({
        code: 'ERR_KMS_RESPONSE_INVALID',
      })
      expect(changes()).toEqual([])
    },
  )

  it.each([Number.NaN, 'yesterday', '2026-01-01', {}, new Date(), null])(
    'disables nothing where lastUsedAtMs answers %j',
    async (lastUsedAtMs) => {
      const { retire } = await world()
      const { lifecycle, changes } = lifecycleOf({ lastUsedAtMs })
      await expect(retire(lifecycle, { writers: NO_WAIT })).rejects.toMatchObject({
        code: 'ERR_KMS_RESPONSE_INVALID',
      })
      expect(changes()).toEqual([])
    },
  )

  it('is scheduled all the same where scheduleDestruction answers nothing', async () => {
    const { retire } = await world()
    const { lifecycle } = lifecycleOf({ stateOf: 'disabled', scheduleDestruction: undefined })
    expect(await retire(lifecycle, { destroy: true, destroyAfterMs: 0 })).toEqual({
      status: 'scheduled',
    })
  })
})

describe('the record of a retirement that was edited', () => {
  it.each([{}, [[]], 'long ago', '0', true, -1, 1e300])(
    'does not shorten the wait: zeroSinceMs %j',
    async (zeroSinceMs) => {
      const { retire, edit } = await world()
      const { lifecycle, changes } = lifecycleOf()
      await retire(lifecycle)
      edit({ zeroSinceMs })
      expect(await retire(lifecycle)).toMatchObject({ status: 'waiting', step: 'disable' })
      expect(changes()).toEqual([])
    },
  )

  it.each([{}, [[]], 'long ago', '0', true, -1])(
    'does not destroy early: disabledAtMs %j',
    async (disabledAtMs) => {
      const { retire, edit } = await world()
      const { lifecycle, changes } = lifecycleOf({ stateOf: 'disabled' })
      await retire(lifecycle, { destroy: true })
      edit({ disabledAtMs })
      expect(await retire(lifecycle, { destroy: true })).toMatchObject({
        status: 'waiting',
        step: 'destroy',
      })
      expect(changes()).toEqual([])
    },
  )

  it('does not prolong the wait for ever after a clock that was ahead', async () => {
    const { retire, clock } = await world()
    const { lifecycle } = lifecycleOf()
    clock.nowMs += 1_000 * DAY_MS
    await retire(lifecycle)
    clock.nowMs -= 1_000 * DAY_MS
    await retire(lifecycle)
    clock.nowMs += DAY_MS
    expect(await retire(lifecycle)).toEqual({ status: 'disabled' })
  })
})

describe('values that hide what they refer to', () => {
  it('counts a reference whose context is invalid, also where corrupt values are accepted', async () => {
    const { source, retire } = await world({
      contextOf: ({ id }) => (id === 'old' ? ({ tenant: null } as never) : { tenant: 'acme' }),
    })
    const { lifecycle, changes } = lifecycleOf()
    source.set('old', { secret: await encrypted(1) })
    const options = { acceptCorrupt: true, writers: NO_WAIT }
    expect(await retire(lifecycle, options)).toMatchObject({ status: 'referenced', references: 1 })
    expect(changes()).toEqual([])
  })

  it('counts a message by reference whose own record is in no source, whatever others are there', async () => {
    const { source, retire } = await world()
    const { lifecycle, changes } = lifecycleOf()
    const [there, elsewhere] = [await encrypted(2), await encrypted(1)].map((one) =>
      EncryptedEnvelope.parse(one),
    )
    source.set('record', { secret: there?.toDataKeyRecord() ?? null })
    source.set('there', { secret: there?.toReference() ?? null })
    source.set('elsewhere', { secret: elsewhere?.toReference() ?? null })
    const found = await retire(lifecycle, { writers: NO_WAIT })
    expect(found).toMatchObject({ status: 'referenced', references: 0, dangling: 1 })
    expect(changes()).toEqual([])
    // Records that were shredded leave such messages: acceptDangling goes on.
    expect(await retire(lifecycle, { writers: NO_WAIT, acceptDangling: true })).toEqual({
      status: 'disabled',
    })
  })
})

describe('the memory of a retirement', () => {
  it('keeps short headers only: long ones are opened at each value', async () => {
    const kms = new StagedKms(kmsAt(2))
    const { source, retire } = await world({ kms })
    const { lifecycle } = lifecycleOf()
    source.rows.clear()
    const opened = async (note: string): Promise<number> => {
      const writer = cipherAt(2)
      const context = { note }
      for (const id of ['a', 'b', 'c'])
        source.set(id, { secret: await writer.encrypt(utf8('x'), { context }) })
      kms.calls.length = 0
      await retire(lifecycle)
      return kms.calls.filter((call) => call === 'unwrapDataKey').length
    }
    expect(await opened('short')).toBe(1)
    expect(await opened('x'.repeat(4_000))).toBe(3)
  })
})
