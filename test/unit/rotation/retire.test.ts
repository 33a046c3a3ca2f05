import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope } from '../../../src/index.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import { kmsAt, type MemorySource, StagedKms } from './fixture.ts'
import { HOUR_MS, version, WEEK_MS, world } from './retire-world.ts'
import { encrypted } from './tables.ts'

/** Edits the version that a message names, which nothing authenticates. */
function relabelled(source: MemorySource, id: string, from: string, to: string): void {
  const value = Buffer.from(source.value(id) as Uint8Array)
  const at = value.indexOf(Buffer.from([0, 3, ...Buffer.from('app'), 0, 1, from.charCodeAt(0)]))
  value[at + 7] = to.charCodeAt(0)
  source.set(id, { secret: new Uint8Array(value) })
  expect(EncryptedEnvelope.parse(new Uint8Array(value)).wraps[0]?.kekVersion).toBe(to)
}

describe('R30 retire', () => {
  it('disables once no value refers to the version and no writer can hold it, and destroys a week later', async () => {
    const { lifecycle, manager, retire, later, clock } = await world()
    expect(await retire()).toMatchObject({ status: 'referenced', references: 3 })
    await runRotation(manager)
    const untilMs = clock.nowMs + HOUR_MS
    expect(await retire()).toEqual({ status: 'waiting', step: 'disable', untilMs })
    later(HOUR_MS - 1)
    expect(await retire()).toMatchObject({ status: 'waiting', step: 'disable', untilMs })
    later(1)
    expect(await retire()).toEqual({ status: 'disabled' })
    expect(lifecycle.calls).toEqual(['disabled'])
    expect(await retire()).toEqual({ status: 'disabled' })
    expect(await retire({ destroy: true })).toMatchObject({ status: 'waiting', step: 'destroy' })
    later(WEEK_MS)
    expect(await retire()).toEqual({ status: 'disabled' })
    expect(await retire({ destroy: true })).toEqual({ status: 'scheduled', destroyAtMs: 42 })
    expect(lifecycle.calls).toEqual(['disabled', 'pending-destruction'])
    expect(await retire({ destroy: true })).toEqual({ status: 'retired' })
  })

  it('waits for ttl and maxStale, or for encryptForMs where that is longer', async () => {
    const { manager, retire, later } = await world()
    await runRotation(manager)
    const writers = { ttlMs: 60_000, maxStaleMs: 10_000, encryptForMs: 0 }
    await retire({ writers })
    later(69_999)
    expect(await retire({ writers })).toMatchObject({ status: 'waiting' })
    later(1)
    expect(await retire({ writers: { ...writers, encryptForMs: 80_000 } })).toMatchObject({
      status: 'waiting',
    })
    expect(await retire({ writers })).toEqual({ status: 'disabled' })
  })

  it('begins to wait anew when a value under the version shows up', async () => {
    const { source, lifecycle, manager, retire, later } = await world()
    await runRotation(manager)
    await retire()
    later(HOUR_MS)
    source.set('late', { secret: await encrypted(1) })
    expect(await retire()).toMatchObject({ status: 'referenced', references: 1 })
    await runRotation(manager)
    expect(await retire()).toMatchObject({ status: 'waiting' })
    later(HOUR_MS)
    expect(await retire()).toEqual({ status: 'disabled' })
    expect(lifecycle.calls).toEqual(['disabled'])
  })

  it('refuses a version that is current', async () => {
    const { retire, lifecycle } = await world()
    for (const kekVersion of ['2', ''])
      await expect(retire({ version: { ...version, kekVersion } })).rejects.toMatchObject({
        code: 'ERR_KMS_CONFIG',
      })
    expect(lifecycle.calls).toEqual([])
  })

  it('does not believe the version that a value names: it opens each data key', async () => {
    const { source, lifecycle, manager, retire, later } = await world()
    await runRotation(manager)
    source.set('r0001', { secret: await encrypted(1) })
    relabelled(source, 'r0001', '1', '2')
    later(10 * HOUR_MS)
    await retire()
    later(HOUR_MS)
    expect(await retire()).toMatchObject({ status: 'referenced', references: 0, unproven: 1 })
    expect(lifecycle.calls).toEqual([])
  })

  it('does not take a wrap for proof of which the KMS says that it is under an old version', async () => {
    const inner = kmsAt(2)
    const kms = new StagedKms(inner)
    const { manager, retire, lifecycle } = await world({ kms })
    await runRotation(manager)
    kms.stage = async (operation, { wraps = [], context = {} }) =>
      operation === 'unwrapDataKey'
        ? { ...(await inner.unwrapDataKey(wraps, { context })), current: false }
        : undefined
    const writers = { ttlMs: 0, maxStaleMs: 0, encryptForMs: 0 }
    expect(await retire({ writers })).toMatchObject({ status: 'referenced', unproven: 3 })
    expect(lifecycle.calls).toEqual([])
    kms.stage = () => undefined
    expect(await retire({ writers })).toEqual({ status: 'disabled' })
  })

  it('believes it where the proof is switched off', async () => {
    const { source, manager, retire, later } = await world()
    await runRotation(manager)
    source.set('r0001', { secret: await encrypted(1) })
    relabelled(source, 'r0001', '1', '2')
    await retire({ proof: 'none' })
    later(HOUR_MS)
    expect(await retire({ proof: 'none' })).toEqual({ status: 'disabled' })
  })

  it('refuses while values are corrupt, unless that is accepted', async () => {
    const { source, manager, retire, later } = await world()
    await runRotation(manager)
    source.set('bad', { secret: 'ek1.!' })
    expect(await retire()).toMatchObject({ status: 'referenced', corrupt: 1 })
    await retire({ acceptCorrupt: true })
    later(HOUR_MS)
    expect(await retire({ acceptCorrupt: true })).toEqual({ status: 'disabled' })
  })

  it('refuses while there are messages by reference and no source holds data-key records', async () => {
    const { source, manager, retire, later } = await world()
    await runRotation(manager)
    const envelope = EncryptedEnvelope.parse(await encrypted(2))
    source.set('reference', { secret: envelope.toReference() })
    expect(await retire()).toMatchObject({ status: 'referenced', dangling: 1 })
    source.set('record', { secret: envelope.toDataKeyRecord() })
    await retire()
    later(HOUR_MS)
    expect(await retire()).toEqual({ status: 'disabled' })
  })

  it('heeds a vendor that saw the version used after the last reference was gone', async () => {
    const { lifecycle, manager, retire, later, clock } = await world()
    await runRotation(manager)
    await retire()
    lifecycle.lastUsed = clock.nowMs + 5
    later(HOUR_MS)
    expect(await retire()).toEqual({ status: 'in-use', lastUsedAtMs: lifecycle.lastUsed })
    expect(lifecycle.calls).toEqual([])
  })

  it('disables again, and waits again, what somebody enabled before it was destroyed', async () => {
    const { lifecycle, manager, retire, later } = await world()
    await runRotation(manager)
    await retire()
    later(HOUR_MS)
    await retire()
    later(WEEK_MS)
    lifecycle.state = 'enabled'
    expect(await retire({ destroy: true })).toEqual({ status: 'disabled' })
    expect(await retire({ destroy: true })).toMatchObject({ status: 'waiting', step: 'destroy' })
  })

  it('counts the week from the last time that the version was disabled', async () => {
    const { lifecycle, manager, retire, later, clock } = await world()
    await runRotation(manager)
    await retire()
    later(HOUR_MS)
    await retire()
    later(WEEK_MS)
    lifecycle.state = 'enabled'
    lifecycle.lastUsed = clock.nowMs
    expect(await retire({ destroy: true })).toMatchObject({ status: 'in-use' })
    lifecycle.state = 'disabled' // by hand
    expect(await retire({ destroy: true })).toMatchObject({ status: 'waiting', step: 'destroy' })
  })

  it('destroys nothing that is in use again', async () => {
    const { source, lifecycle, manager, retire, later } = await world()
    await runRotation(manager)
    await retire()
    later(HOUR_MS)
    await retire()
    later(WEEK_MS)
    source.set('restored', { secret: await encrypted(1) })
    expect(await retire({ destroy: true })).toMatchObject({ status: 'referenced', references: 1 })
    expect(lifecycle.calls).toEqual(['disabled'])
  })

  it('records each step in the audit trail, and no step in which nothing happened', async () => {
    const records: unknown[] = []
    const audit = {
      actor: () => '',
      record: (events: readonly unknown[]) => Promise.resolve(void records.push(...events)),
    }
    const { manager, retire, later } = await world({ audit })
    await runRotation(manager)
    records.length = 0
    await retire()
    later(HOUR_MS)
    await retire()
    later(WEEK_MS)
    await retire({ destroy: true })
    expect(records).toMatchObject([
      { operation: 'disableKeyVersion', outcome: 'success', provider: 'local', keys: [version] },
      { operation: 'scheduleKeyDestruction', keys: [version] },
    ])
  })

  it('fails with the error of a lifecycle that refuses, and records that', async () => {
    const records: unknown[] = []
    const audit = {
      actor: () => '',
      record: (events: readonly unknown[]) => Promise.resolve(void records.push(...events)),
    }
    const { lifecycle, manager, retire, later } = await world({ audit })
    await runRotation(manager)
    await retire()
    later(HOUR_MS)
    lifecycle.disable = () => Promise.reject(new Error('secret'))
    await expect(retire()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(records.at(-1)).toMatchObject({
      operation: 'disableKeyVersion',
      outcome: 'failure',
      errorType: 'ERR_STORE_UNAVAILABLE',
    })
  })

  it.each<[string, object]>([
    ['version', { version: { provider: 'local' } }],
    ['lifecycle', { lifecycle: {} }],
    ['lifecycle', { version: { ...version, provider: 'gcp-kms' } }],
    ['proof', { proof: 'no' }],
    ['destroy', { destroy: 'true' }],
    ['destroyAfterMs', { destroyAfterMs: -1 }],
    ['writers.ttlMs', { writers: { ttlMs: -1 } }],
    ['acceptDangling', { acceptDangling: 1 }],
    ['acceptEmpty', { acceptEmpty: true }],
    ['force', { force: true }],
  ])('refuses a wrong option %s', async (name, wrong) => {
    const { retire } = await world()
    await expect(retire(wrong)).rejects.toThrow(name)
  })
})
