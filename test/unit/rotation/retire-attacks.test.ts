import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, KmsError } from '../../../src/index.ts'
import { keyValueStateStore, memoryStateStore } from '../../../src/rotation/state-store.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import { MemoryKeyValueStore } from '../../../src/stores/index.ts'
import { MemorySource, START_MS } from './fixture.ts'
import { HOUR_MS, version, WEEK_MS, world } from './retire-world.ts'
import { encrypted, tableOf } from './tables.ts'

const at = (kekVersion: string, kekId = 'app') => ({ version: { ...version, kekId, kekVersion } })

describe('R30 retirement under attack', () => {
  it('sees a reference that appears while it disables before it destroys, and says that it is disabled', async () => {
    const { source, lifecycle, manager, retire, later } = await world()
    await runRotation(manager)
    await retire()
    later(HOUR_MS)
    const disable = lifecycle.disable
    lifecycle.disable = async () => {
      source.set('late', { secret: await encrypted(1) })
      return disable()
    }
    expect(await retire()).toEqual({ status: 'disabled' })
    later(WEEK_MS)
    const found = await retire({ destroy: true })
    expect(found).toMatchObject({ status: 'referenced', state: 'disabled', references: 1 })
    await lifecycle.enable()
    await runRotation(manager)
    expect(await retire({ destroy: true })).toMatchObject({ status: 'waiting', step: 'disable' })
    expect(lifecycle.calls).toEqual(['disabled', 'enabled'])
  })

  it('does not count the time of a disabling that the vendor says was not one', async () => {
    const { lifecycle, manager, retire, later } = await world()
    await runRotation(manager)
    await retire()
    later(HOUR_MS)
    lifecycle.disable = () => Promise.resolve()
    await retire()
    later(WEEK_MS - 1)
    lifecycle.state = 'disabled' // only now
    expect(await retire({ destroy: true })).toMatchObject({ status: 'waiting', step: 'destroy' })
    later(1)
    expect(await retire({ destroy: true })).toMatchObject({ status: 'waiting', step: 'destroy' })
    expect(lifecycle.calls).toEqual([])
  })

  it('goes on after a disabling that failed, and after one of which only the answer was lost', async () => {
    const { lifecycle, manager, retire, later } = await world()
    await runRotation(manager)
    await retire()
    later(HOUR_MS)
    const disable = lifecycle.disable
    const denied = new KmsError('ERR_KMS_ACCESS_DENIED')
    lifecycle.disable = () => Promise.reject(denied)
    await expect(retire()).rejects.toBe(denied)
    lifecycle.disable = () => disable().then(() => Promise.reject(denied))
    await expect(retire()).rejects.toBe(denied)
    lifecycle.disable = disable
    expect(await retire({ destroy: true })).toMatchObject({ status: 'waiting', step: 'destroy' })
    later(WEEK_MS)
    expect(await retire({ destroy: true })).toMatchObject({ status: 'scheduled' })
  })

  it('never destroys what is enabled, however long ago it was disabled', async () => {
    const { lifecycle, manager, retire, later } = await world()
    await runRotation(manager)
    await retire()
    later(HOUR_MS)
    await retire()
    later(52 * WEEK_MS)
    lifecycle.state = 'enabled'
    await retire({ destroy: true, destroyAfterMs: 0 })
    expect(lifecycle.calls).toEqual(['disabled', 'disabled'])
  })

  it('waits again when the clock went back: its times mean nothing', async () => {
    const { lifecycle, manager, retire, later, clock } = await world()
    await runRotation(manager)
    const rightMs = clock.nowMs
    clock.nowMs = rightMs + 100 * WEEK_MS
    await retire()
    clock.nowMs = rightMs
    const untilMs = rightMs + HOUR_MS
    expect(await retire()).toEqual({ status: 'waiting', step: 'disable', untilMs })
    later(HOUR_MS - 1)
    expect(await retire()).toMatchObject({ status: 'waiting' })
    expect(lifecycle.calls).toEqual([])
  })

  it('refuses a clock that is behind the end of the rotation: the wait would be over at once', async () => {
    const { lifecycle, manager, retire, clock } = await world()
    await runRotation(manager)
    clock.nowMs -= WEEK_MS
    await expect(retire()).rejects.toThrow('the clock is wrong')
    clock.nowMs += WEEK_MS
    expect(await retire()).toMatchObject({ status: 'waiting', step: 'disable' })
    expect(lifecycle.calls).toEqual([])
  })

  it.each([0, Number.NaN, START_MS - 60 * 52 * WEEK_MS])(
    'refuses a clock that is not set: %d',
    async (nowMs) => {
      const { retire, clock, manager } = await world()
      await runRotation(manager)
      clock.nowMs = nowMs
      await expect(retire()).rejects.toThrow('the clock is wrong')
    },
  )

  it.each([
    ['a KEK that the KMS does not have', at('1', 'App')],
    ['a KEK of which the name is cut', at('1', 'ap')],
    ['a whole KEK that the KMS does not have', at('', 'old')],
  ])('refuses %s: a wrong name has no references', async (_, wrong) => {
    const { retire, manager, lifecycle } = await world()
    await runRotation(manager)
    await expect(retire(wrong)).rejects.toThrow('does not have')
    expect(lifecycle.calls).toEqual([])
  })

  it('fails for a version that the vendor does not know, and does not call it retired', async () => {
    const { retire, manager, lifecycle } = await world()
    await runRotation(manager)
    const unknown = new KmsError('ERR_KMS_KEY_NOT_FOUND')
    lifecycle.stateOf = () => Promise.reject(unknown)
    await expect(retire(at('01'))).rejects.toBe(unknown)
  })

  it('knows that a version which it destroyed is not found any more', async () => {
    const { retire, manager, lifecycle, later } = await world()
    await runRotation(manager)
    await retire()
    later(HOUR_MS)
    await retire()
    later(WEEK_MS)
    await retire({ destroy: true })
    lifecycle.stateOf = () => Promise.reject(new KmsError('ERR_KMS_KEY_NOT_FOUND'))
    expect(await retire({ destroy: true })).toEqual({ status: 'retired' })
  })

  it.each<[string, () => MemorySource]>([
    ['holds nothing, as a table of a wrong name', () => new MemorySource('orders')],
    [
      'holds no envelope, as a column of a wrong name',
      () => {
        const source = new MemorySource('orders')
        source.set('1', { name: 'Ada', secret: null })
        return source
      },
    ],
  ])('refuses a source that %s', async (_, sourceOf) => {
    const sources = [await tableOf(3), sourceOf()]
    const { retire, manager, later, lifecycle } = await world({ sources })
    await runRotation(manager)
    later(10 * HOUR_MS)
    expect(await retire()).toMatchObject({
      status: 'referenced',
      references: 0,
      emptySources: ['orders'],
    })
    later(10 * HOUR_MS)
    await retire()
    expect(lifecycle.calls).toEqual([])
    await retire({ acceptEmpty: ['orders'] })
    later(HOUR_MS)
    expect(await retire({ acceptEmpty: ['orders'] })).toEqual({ status: 'disabled' })
  })

  it('waits again when the list of sources is another one', async () => {
    const states = memoryStateStore()
    const first = await world({ states })
    await runRotation(first.manager)
    await first.retire()
    const extra = await tableOf(1)
    const more = Object.assign(extra, { name: 'orders' })
    const second = await world({ states, sources: [first.source, more] })
    second.clock.nowMs = first.clock.nowMs + 10 * HOUR_MS
    await runRotation(second.manager).catch(() => undefined) // the job's state is of other sources
    const manager = await world({ states, job: 'both', sources: [first.source, more] })
    manager.clock.nowMs = second.clock.nowMs
    await runRotation(manager.manager)
    expect(await manager.retire()).toMatchObject({ status: 'waiting', step: 'disable' })
  })

  it('refuses a message by reference whose data key no source holds, though others are there', async () => {
    const { source, retire, manager, later, lifecycle } = await world()
    await runRotation(manager)
    const [held, lost] = await Promise.all([encrypted(2), encrypted(2)])
    source.set('a', { secret: EncryptedEnvelope.parse(held).toReference() })
    source.set('b', { secret: EncryptedEnvelope.parse(held).toDataKeyRecord() })
    source.set('c', { secret: EncryptedEnvelope.parse(lost).toReference() })
    expect(await retire()).toMatchObject({ status: 'referenced', dangling: 1 })
    later(10 * HOUR_MS)
    expect(await retire()).toMatchObject({ status: 'referenced', dangling: 1 })
    expect(lifecycle.calls).toEqual([])
    await retire({ acceptDangling: true })
    later(HOUR_MS)
    expect(await retire({ acceptDangling: true })).toEqual({ status: 'disabled' })
  })

  it('counts references whose data-key record is under the version', async () => {
    const { source, retire, manager } = await world()
    await runRotation(manager)
    const old = EncryptedEnvelope.parse(await encrypted(1))
    source.set('a', { secret: old.toReference() })
    source.set('b', { secret: old.toDataKeyRecord() })
    expect(await retire()).toMatchObject({ status: 'referenced', references: 1, dangling: 0 })
  })

  it('heeds a use while it was disabled, by the clock of the vendor alone', async () => {
    const { lifecycle, manager, retire, later } = await world()
    await runRotation(manager)
    lifecycle.lastUsed = 1_000 // a vendor whose clock is decades behind
    await retire()
    later(HOUR_MS)
    expect(await retire()).toEqual({ status: 'disabled' })
    later(WEEK_MS)
    lifecycle.lastUsed = 2_000
    expect(await retire({ destroy: true })).toEqual({ status: 'in-use', lastUsedAtMs: 2_000 })
    later(WEEK_MS - 1)
    expect(await retire({ destroy: true })).toMatchObject({ status: 'waiting', step: 'destroy' })
    later(WEEK_MS)
    expect(await retire({ destroy: true })).toMatchObject({ status: 'scheduled' })
  })

  it('is not held up for ever by one use: it waits anew, once', async () => {
    const { lifecycle, manager, retire, later, clock } = await world()
    await runRotation(manager)
    await retire()
    lifecycle.lastUsed = clock.nowMs + 5
    later(HOUR_MS)
    expect(await retire()).toMatchObject({ status: 'in-use' })
    later(HOUR_MS - 1)
    expect(await retire()).toMatchObject({ status: 'waiting', step: 'disable' })
    later(1)
    expect(await retire()).toEqual({ status: 'disabled' })
  })

  it('fails closed when the second witness does not answer', async () => {
    const { lifecycle, manager, retire, later } = await world()
    await runRotation(manager)
    lifecycle.lastUsedAtMs = () => Promise.reject(new KmsError('ERR_KMS_ACCESS_DENIED'))
    await expect(retire()).rejects.toMatchObject({ code: 'ERR_KMS_ACCESS_DENIED' })
    later(WEEK_MS)
    await expect(retire()).rejects.toMatchObject({ code: 'ERR_KMS_ACCESS_DENIED' })
    expect(lifecycle.calls).toEqual([])
  })

  it('never goes by the second witness alone', async () => {
    const { lifecycle, retire, later } = await world()
    lifecycle.lastUsed = undefined // never used, says the vendor
    later(WEEK_MS)
    expect(await retire()).toMatchObject({ status: 'referenced', references: 3 })
    expect(lifecycle.calls).toEqual([])
  })

  it('lets one of two that retire at once make the step', async () => {
    const states = keyValueStateStore(new MemoryKeyValueStore())
    const { lifecycle, manager, retire, later } = await world({ states })
    await runRotation(manager)
    await retire()
    later(HOUR_MS)
    const both = await Promise.allSettled([retire(), retire()])
    expect(both.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
    expect(lifecycle.state).toBe('disabled')
    expect(new Set(lifecycle.calls)).toEqual(new Set(['disabled']))
  })
})
