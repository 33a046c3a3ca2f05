import { describe, expect, it } from 'vitest'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import { compareFingerprints } from '../../../src/rotation/fingerprint-sources.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import { flipped } from '../envelope/fixture.ts'
import { Clock, kmsAt, MemorySource, turning } from './fixture.ts'
import { encrypted, tableOf } from './tables.ts'

const fingerprintKey = new Uint8Array(32).fill(5)
const managerOf = (source: MemorySource, key: Uint8Array | string = fingerprintKey) =>
  new KeyRotationManager({
    kms: kmsAt(2),
    sources: [source],
    fingerprintKey: key,
    pageSize: 2,
    ...new Clock().ports,
  })

function copyOf(source: MemorySource): MemorySource {
  const copy = new MemorySource(source.name)
  for (const [id, row] of [...source.rows].reverse()) copy.set(id, { ...row })
  return copy
}

async function mixed(): Promise<MemorySource> {
  const source = await tableOf(5)
  source.set('plain', { secret: 'no envelope', other: await encrypted() })
  source.set('none', { secret: null })
  return source
}

describe('fingerprints', () => {
  it('are the same before and after a rotation, and differ if a body, an id or a plain value changed', async () => {
    const source = await mixed()
    const backup = copyOf(source)
    const before = await managerOf(source).fingerprint()
    const result = await runRotation(managerOf(source))
    expect(result.fingerprints).toHaveLength(1)
    expect(result.fingerprints[0]?.before).toBe(before[0]?.fingerprint)
    expect(result.fingerprints[0]?.after).toBe(before[0]?.fingerprint)
    expect(before[0]?.values).toBe(7)
    const same = await managerOf(backup).fingerprint()
    expect(compareFingerprints(before, same)).toEqual({
      same: ['users'],
      different: [],
      missing: [],
    })

    const changes: ((table: MemorySource) => void)[] = [
      (table) => table.set('r0000', { secret: flipped(table.value('r0000') as Uint8Array, -1) }),
      (table) => table.set('plain', { ...table.rows.get('plain'), secret: 'another' }),
      (table) => {
        const [a, b] = [table.value('r0000'), table.value('r0001')]
        table.set('r0000', { secret: b })
        table.set('r0001', { secret: a })
      },
      (table) => table.rows.delete('r0003'),
      (table) => table.set('none', { secret: 'something' }),
    ]
    for (const change of changes) {
      const changed = copyOf(backup)
      change(changed)
      const other = await managerOf(changed).fingerprint()
      expect(compareFingerprints(before, other).different, String(change)).toEqual(['users'])
    }
  })

  it('are those of one sweep where a source is swept again because the KEK was rotated', async () => {
    const [first, second] = [new MemorySource('first'), await tableOf(2)]
    first.set('a', { secret: 'plain' })
    let version = 2
    const kms = turning(() => kmsAt(version))
    const clock = new Clock()
    const options = { kms, sources: [first, second], fingerprintKey, pageSize: 2, ...clock.ports }
    const manager = new KeyRotationManager(options)
    const before = await manager.fingerprint()
    const result = await runRotation(manager, {
      progress: ({ source }) => {
        if (source === 'users') version = 3
        clock.nowMs += 20_000
      },
    })
    expect(result.newVersion).toMatchObject([{ kekVersion: '3' }])
    expect(result.fingerprints.map(({ after }) => after)).toEqual(
      before.map(({ fingerprint }) => fingerprint),
    )
  })

  it('depend on the key, and name sources that only one side has', async () => {
    const source = await tableOf(2)
    const a = await managerOf(source).fingerprint()
    const b = await managerOf(source, new Uint8Array(32).fill(6)).fingerprint()
    expect(compareFingerprints(a, b).different).toEqual(['users'])
    expect(compareFingerprints(a, []).missing).toEqual(['users'])
    expect(compareFingerprints([], a).missing).toEqual(['users'])
  })

  it('refuse a short key, and to be made without one', async () => {
    const source = new MemorySource()
    expect(() => managerOf(source, new Uint8Array(31))).toThrow('fingerprintKey')
    expect(() => managerOf(source, 'short')).toThrow('fingerprintKey')
    const manager = new KeyRotationManager({ kms: kmsAt(2), sources: [source] })
    await expect(manager.fingerprint()).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
  })
})
