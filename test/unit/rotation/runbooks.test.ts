import { describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  type KeyManagementService,
  MultiKms,
} from '../../../src/index.ts'
import {
  KeyRotationManager,
  reencryptRecords,
  runRotation,
  type RetireOptions,
} from '../../../src/rotation/index.ts'
import { awsKey, gcpKey, vaultKey } from '../../support/rotation/vendors.ts'
import { Clock, MemorySource, utf8 } from './fixture.ts'
import { context } from './tables.ts'

const HOUR_MS = 3_600_000
const uncached = (kms: KeyManagementService) => new EnvelopeCipher({ kms, cache: false })
const dataKeyOf = (source: MemorySource, id: string) =>
  EncryptedEnvelope.parse(source.value(id) as Uint8Array).dataKeyStoreKey

async function tableUnder(kms: KeyManagementService, ids = ['a', 'b', 'c']): Promise<MemorySource> {
  const source = new MemorySource()
  const cipher = new EnvelopeCipher({ kms })
  for (const id of ids) source.set(id, { secret: await cipher.encrypt(utf8(id), { context }) })
  return source
}

async function opens(kms: KeyManagementService, source: MemorySource): Promise<boolean> {
  for (const id of source.rows.keys())
    expect(await uncached(kms).decrypt(source.value(id) as Uint8Array, { context })).toEqual(
      utf8(id),
    )
  return true
}

describe('runbooks', () => {
  it('KEK that leaked: new version, then new data keys, then the old version is disabled and destroyed', async () => {
    const key = await gcpKey()
    const { kms, lifecycle } = key
    const source = await tableUnder(kms)
    const stolen = { copy: source.value('a') as Uint8Array, dataKey: dataKeyOf(source, 'a') }
    const [version] = await kms.currentVersion({})
    await key.rotate()
    // A rewrap is not enough: the thief of the KEK has unwrapped the data keys of the copies.
    const [from, to] = [new EnvelopeCipher({ kms }), new EnvelopeCipher({ kms })]
    expect(await reencryptRecords({ from, to, source })).toMatchObject({
      isComplete: true,
      reencrypted: 3,
    })
    expect([...source.rows.keys()].map((id) => dataKeyOf(source, id))).not.toContain(stolen.dataKey)
    const clock = new Clock()
    const manager = new KeyRotationManager({ kms, sources: [source], ...clock.ports })
    const retire = (more: Partial<RetireOptions> = {}) =>
      manager.retire({ version: version as RetireOptions['version'], lifecycle, ...more })
    expect((await runRotation(manager)).deksRotated).toBe(0)
    expect(await retire()).toMatchObject({ status: 'waiting', step: 'disable' })
    clock.nowMs += 4 * HOUR_MS
    expect(await retire()).toEqual({ status: 'disabled' })
    await expect(uncached(kms).decrypt(stolen.copy, { context })).rejects.toMatchObject({
      code: 'ERR_KMS_KEY_DISABLED',
    })
    expect(await opens(kms, source)).toBe(true)
  })

  it('data key that leaked: a rewrap leaves it in use, re-encryption does not', async () => {
    const key = vaultKey()
    const { kms } = key
    const source = await tableUnder(kms)
    source.set('other', { secret: await uncached(kms).encrypt(utf8('other'), { context }) })
    const [leaked, other] = [dataKeyOf(source, 'a'), dataKeyOf(source, 'other')]
    await key.rotate()
    const clock = new Clock()
    await runRotation(new KeyRotationManager({ kms, sources: [source], ...clock.ports }))
    expect(dataKeyOf(source, 'a')).toBe(leaked)
    const affects = ({ dataKeyStoreKey }: EncryptedEnvelope) => dataKeyStoreKey === leaked
    const [from, to] = [new EnvelopeCipher({ kms }), new EnvelopeCipher({ kms })]
    expect(await reencryptRecords({ from, to, source, affects })).toMatchObject({
      isComplete: true,
      reencrypted: 3,
    })
    expect(['a', 'b', 'c'].map((id) => dataKeyOf(source, id))).not.toContain(leaked)
    expect(dataKeyOf(source, 'other')).toBe(other)
    expect(await opens(kms, source)).toBe(true)
  })

  it('move to another vendor: at each step every reader opens what every writer wrote', async () => {
    const [old, next] = [awsKey(), vaultKey()]
    const source = await tableUnder(old.kms)
    const stages: readonly KeyManagementService[] = [
      old.kms,
      // 1. All read both, and write the old one.
      new MultiKms({ read: [old.kms, next.kms], write: [old.kms] }),
      // 2. All write both.
      new MultiKms({ read: [old.kms, next.kms], write: [old.kms, next.kms] }),
      // 3. All write the new one.
      new MultiKms({ read: [next.kms, old.kms], write: [next.kms] }),
      // 4. After the rotation and the retirement only the new one is left.
      next.kms,
    ]
    // While stage n is rolled out, processes of stage n - 1 still write and read.
    for (let n = 1; n < 4; n += 1)
      for (const [writer, reader] of [
        [stages[n - 1], stages[n]],
        [stages[n], stages[n - 1]],
      ] as [KeyManagementService, KeyManagementService][]) {
        const id = `stage ${String(n)} ${String(reader === stages[n])}`
        source.set(id, { secret: await uncached(writer).encrypt(utf8(id), { context }) })
        expect(await opens(reader, source)).toBe(true)
      }
    const clock = new Clock()
    const kms = stages[3] as KeyManagementService
    const manager = new KeyRotationManager({ kms, sources: [source], ...clock.ports })
    const { phase, deksFailed } = await runRotation(manager)
    expect([phase, deksFailed]).toEqual(['finished', 0])
    const version = { provider: 'aws-kms', kekId: old.keyId, kekVersion: '' }
    const retire = () => manager.retire({ version, lifecycle: old.lifecycle })
    expect(await retire()).toMatchObject({ status: 'waiting' })
    clock.nowMs += HOUR_MS
    expect(await retire()).toEqual({ status: 'disabled' })
    expect(await opens(next.kms, source)).toBe(true)
  })

  it('move to another vendor: writing the new one at once locks out readers of the stage before', async () => {
    const [old, next] = [awsKey(), vaultKey()]
    const early = new MultiKms({ read: [next.kms, old.kms], write: [next.kms] })
    const envelope = await uncached(early).encrypt(utf8('x'), { context })
    await expect(uncached(old.kms).decrypt(envelope, { context })).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_UNKNOWN_KEY',
    })
  })
})
