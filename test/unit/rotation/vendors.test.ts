import { describe, expect, it } from 'vitest'
import { EnvelopeCipher, isKmsError, type KekVersion, MultiKms } from '../../../src/index.ts'
import { KeyRotationManager, runRotation, type RetireOptions } from '../../../src/rotation/index.ts'
import {
  aws,
  awsKey,
  azureKey,
  gcpKey,
  localKey,
  vaultKey,
  type VendorKey,
} from '../../support/rotation/vendors.ts'
import { Clock, MemorySource, utf8 } from './fixture.ts'
import { context } from './tables.ts'

const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS

/** Two rows under the first version, then the vendor's own rotation. */
async function rotated(key: VendorKey) {
  const clock = new Clock()
  const source = new MemorySource()
  const cipher = () => new EnvelopeCipher({ kms: key.kms, cache: false })
  for (const id of ['a', 'b'])
    source.set(id, { secret: await cipher().encrypt(utf8(id), { context }) })
  const backup = source.value('a') as Uint8Array
  const { kms } = key
  const [old] = (await kms.currentVersion({})) as [KekVersion]
  await key.rotate()
  const options = { kms, sources: [source], ...clock.ports, rate: { requestsPerSecond: 1_000 } }
  const manager = new KeyRotationManager(options)
  const read = async (envelope: Uint8Array) => cipher().decrypt(envelope, { context })
  const retire = (more: Partial<RetireOptions> = {}) =>
    manager.retire({ version: old, lifecycle: key.lifecycle, ...more })
  return { clock, source, manager, old, backup, read, retire }
}

/** Calls `retire` until the version is disabled. */
async function disabled({ clock, retire }: Awaited<ReturnType<typeof rotated>>): Promise<void> {
  const first = await retire()
  expect(first).toMatchObject({ status: 'waiting', step: 'disable' })
  clock.nowMs = 'untilMs' in first ? first.untilMs : 0
  expect(await retire()).toEqual({ status: 'disabled' })
}

const code = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no error',
    (error: unknown) => (isKmsError(error) ? error.code : error),
  )

describe('R30: what a rotation of each vendor breaks, and when the old version may be destroyed', () => {
  it('AWS: nothing breaks, nothing has to be rewrapped, and a version cannot be retired', async () => {
    const world = await rotated(awsKey())
    expect(await world.read(world.backup)).toEqual(utf8('a'))
    const { deksRotated, counts } = await runRotation(world.manager)
    expect([deksRotated, counts.current]).toEqual([0, 2])
    expect(world.old.kekVersion).toBe('')
    await expect(world.retire()).rejects.toThrow('is current')
    const { lifecycle } = awsKey()
    const version = { ...world.old, kekVersion: '1' }
    expect(await code(lifecycle.disable(version, {}))).toBe('ERR_KMS_UNSUPPORTED')
  })

  it('AWS: a whole key is retired once everything is under another one, with its last use as second witness', async () => {
    const [from, to] = [awsKey(), awsKey()]
    const clock = new Clock()
    const source = new MemorySource()
    const secret = await new EnvelopeCipher({ kms: from.kms }).encrypt(utf8('a'), { context })
    source.set('a', { secret })
    const kms = new MultiKms({ read: [to.kms, from.kms], write: [to.kms] })
    const manager = new KeyRotationManager({ kms, sources: [source], ...clock.ports })
    const version = { provider: 'aws-kms', kekId: from.keyId, kekVersion: '' }
    const retire = (more = {}) => manager.retire({ version, lifecycle: from.lifecycle, ...more })
    expect(await retire()).toMatchObject({ status: 'referenced', references: 1 })
    await runRotation(manager)
    expect(await retire()).toMatchObject({ status: 'waiting', step: 'disable' })
    aws.clock.advance(60_000)
    await new EnvelopeCipher({ kms: from.kms }).decrypt(secret, { context }) // a copy that is not a source
    clock.nowMs += HOUR_MS
    expect(await retire()).toMatchObject({ status: 'in-use' })
    clock.nowMs += HOUR_MS
    expect(await retire()).toEqual({ status: 'disabled' })
    clock.nowMs += WEEK_MS
    const scheduled = await retire({ destroy: true })
    expect(scheduled).toMatchObject({ status: 'scheduled' })
    expect(await retire({ destroy: true })).toEqual({ status: 'retired' })
  })

  it('GCP: old data opens until its version is disabled; rewrap, then disable and destroy it', async () => {
    const world = await rotated(await gcpKey())
    expect(await world.read(world.backup)).toEqual(utf8('a'))
    expect(await world.retire()).toMatchObject({ status: 'referenced', references: 2 })
    expect((await runRotation(world.manager)).deksRotated).toBe(2)
    await disabled(world)
    expect(await code(world.read(world.backup))).toBe('ERR_KMS_KEY_DISABLED')
    expect(await world.read(world.source.value('a') as Uint8Array)).toEqual(utf8('a'))
    world.clock.nowMs += WEEK_MS
    const scheduled = await world.retire({ destroy: true })
    expect(scheduled).toMatchObject({ status: 'scheduled' })
    expect(await world.retire({ destroy: true })).toEqual({ status: 'retired' })
    expect(await world.read(world.source.value('b') as Uint8Array)).toEqual(utf8('b'))
  })

  it('GCP: waits three hours longer, for which Google may wrap under the version before', async () => {
    const { manager, retire, clock } = await rotated(await gcpKey())
    await runRotation(manager)
    const untilMs = clock.nowMs + 4 * HOUR_MS
    expect(await retire()).toEqual({ status: 'waiting', step: 'disable', untilMs })
  })

  it('Azure: old data opens until its version is disabled; a version is never destroyed', async () => {
    const world = await rotated(azureKey())
    expect(await world.read(world.backup)).toEqual(utf8('a'))
    expect((await runRotation(world.manager)).deksRotated).toBe(2)
    await disabled(world)
    expect(await code(world.read(world.backup))).toBe('ERR_KMS_KEY_DISABLED')
    expect(await world.read(world.source.value('a') as Uint8Array)).toEqual(utf8('a'))
    world.clock.nowMs += WEEK_MS
    expect(await code(world.retire({ destroy: true }))).toBe('ERR_KMS_UNSUPPORTED')
    expect(await world.retire()).toEqual({ status: 'disabled' })
  })

  it('Vault: old data opens until its version is below min_decryption_version; it is destroyed at once', async () => {
    const world = await rotated(vaultKey())
    expect(await world.read(world.backup)).toEqual(utf8('a'))
    expect((await runRotation(world.manager)).deksRotated).toBe(2)
    await disabled(world)
    expect(await code(world.read(world.backup))).toBe('ERR_KMS_KEY_DISABLED')
    world.clock.nowMs += WEEK_MS
    expect(await world.retire({ destroy: true })).toEqual({ status: 'scheduled' })
    expect(await world.retire({ destroy: true })).toEqual({ status: 'retired' })
    expect(await world.read(world.source.value('a') as Uint8Array)).toEqual(utf8('a'))
  })

  it('local: old data opens while its key is configured; disabling takes it out, destroying wipes it', async () => {
    const key = localKey()
    const world = await rotated(key)
    expect(await world.read(world.backup)).toEqual(utf8('a'))
    expect((await runRotation(world.manager)).deksRotated).toBe(2)
    await disabled(world)
    expect(await code(world.read(world.backup))).toBe('ERR_KMS_KEY_NOT_FOUND')
    expect(key.kept.has(1)).toBe(true)
    world.clock.nowMs += WEEK_MS
    expect(await world.retire({ destroy: true })).toEqual({ status: 'scheduled' })
    expect(key.kept.has(1)).toBe(false)
    expect(await world.read(world.source.value('a') as Uint8Array)).toEqual(utf8('a'))
  })

  it("no vendor lets the service's credentials retire anything", async () => {
    for (const key of [await gcpKey(), azureKey(), vaultKey()]) {
      const world = await rotated(key)
      await runRotation(world.manager)
      const lifecycle = key.denied as VendorKey['lifecycle']
      await world.retire({ lifecycle })
      world.clock.nowMs += 4 * HOUR_MS
      expect(await code(world.retire({ lifecycle }))).toBe('ERR_KMS_ACCESS_DENIED')
      expect(await world.read(world.backup)).toEqual(utf8('a'))
    }
  })
})
