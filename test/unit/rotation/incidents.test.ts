import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, KmsError } from '../../../src/index.ts'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import { createRotationStep } from '../../../src/rotation/rotation-step.ts'
import type { RotationFailure } from '../../../src/rotation/rotation-state.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import { dataKeySource, sqliteSource } from '../../../src/rotation/sources/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
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
import { context, encrypted, tableOf, versionsIn } from './tables.ts'

const HOUR_MS = 3_600_000
const NEVER = new Promise<never>(() => undefined)

/** Opens every row with a new cipher and returns the plaintexts. */
function textsOf(source: MemorySource): Promise<string[]> {
  const cipher = cipherAt(2)
  return Promise.all(
    [...source.rows.keys()].sort().map(async (id) => {
      const bytes = await cipher.decrypt(source.value(id) as Uint8Array, { context })
      return Buffer.from(bytes).toString()
    }),
  )
}

// Each of these was somebody's incident; the thread is named beside it.
describe('R27 and R28 incidents of others', () => {
  // https://github.com/labsai/EDDI/pull/709: every row was written under a key that was not stored yet.
  it('rotation destroys secrets: whatever call it dies at, every value opens and a new job ends', async () => {
    const whole = await tableOf(5)
    const texts = await textsOf(whole)
    let dead = 0
    for (let diesAt = 1; ; diesAt += 1) {
      const source = new MemorySource()
      for (const [id, row] of whole.rows) source.set(id, { ...row })
      let left = diesAt
      const dies = (): Promise<never> | undefined => {
        left -= 1
        return left === 0 ? NEVER : undefined
      }
      const kms = new StagedKms(kmsAt(2))
      kms.stage = dies
      source.before = () => dies()
      source.afterSwap = () => dies()
      const { ports } = new Clock()
      const step = createRotationStep({ kms, sources: [source], pageSize: 2, ...ports })
      const run = runAll(step, newState(source)).then(() => 'finished')
      // A process that is gone says nothing: it is over when nothing is left to do.
      const end = await Promise.race([run, quiet(() => left <= 0)])
      expect(await textsOf(source)).toEqual(texts)
      if (end === 'finished') break
      dead += 1
      left = Infinity
      await runAll(step, newState(source))
      expect(versionsIn(source)).toEqual(['2'])
      expect(await textsOf(source)).toEqual(texts)
    }
    expect(dead).toBeGreaterThan(20)
  })

  // https://github.com/MemberJunction/MJ/issues/4580: only declared fields were rotated, and no value named its version.
  it('hand-encrypted columns skipped: each value is judged by its own words, whoever encrypted it', async () => {
    const source = new MemorySource()
    const byHand = await cipherAt(1).encryptText('by hand', { context })
    source.set('a', { secret: await encrypted(), note: byHand, plain: 'never encrypted' })
    const { ports } = new Clock()
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...ports })
    const { state } = await runAll(step, newState(source))
    expect(state.counts).toMatchObject({ done: 2, foreign: 1 })
    for (const field of ['secret', 'note']) expect(versionsIn(source, field)).toEqual(['2'])
    expect(await cipherAt(2).decryptText(source.value('a', 'note') as string, { context })).toBe(
      'by hand',
    )
  })

  it('hand-encrypted columns skipped: a column that no source names keeps its version from being disabled', async () => {
    const source = await tableOf(2)
    const clock = new Clock()
    const options = { kms: kmsAt(2), sources: [source], ...clock.ports }
    const manager = new KeyRotationManager(options)
    await runRotation(manager)
    const refused = (): Promise<never> => Promise.reject(new Error('must not be called'))
    const lifecycle = {
      provider: 'local',
      stateOf: () => Promise.resolve('enabled' as const),
      disable: refused,
      enable: refused,
      scheduleDestruction: refused,
      cancelDestruction: refused,
      // The application still opens the column that nobody declared.
      lastUsedAtMs: () => Promise.resolve(clock.nowMs),
    }
    const version = { provider: 'local', kekId: 'app', kekVersion: '1' }
    expect(await manager.retire({ version, lifecycle })).toMatchObject({ status: 'waiting' })
    clock.nowMs += 2 * HOUR_MS
    expect(await manager.retire({ version, lifecycle })).toMatchObject({ status: 'in-use' })
  })

  // https://github.com/akash-network/console/pull/3942: a re-keyed row was overwritten with a wrap of its old data key.
  it('compare-and-swap added afterwards: a row that is keyed anew meanwhile keeps its new data key', async () => {
    const source = await tableOf(3)
    const fresh = await encrypted(2, 'keyed anew')
    source.before = (call) => {
      if (call === 'swap') source.set('r0001', { secret: fresh })
    }
    const { ports } = new Clock()
    const step = createRotationStep({ kms: kmsAt(2), sources: [source], ...ports })
    const { state } = await runAll(step, newState(source))
    expect(Buffer.compare(source.value('r0001') as Uint8Array, fresh)).toBe(0)
    expect(state.counts).toMatchObject({ done: 2, current: 1, 'lost-race': 0 })
  })

  // The same thread: data keys went to a version that the application was not configured to wrap under.
  it('compare-and-swap added afterwards: the target is the version that the KMS wraps under, and no other', async () => {
    const source = await tableOf(2)
    const kms = new StagedKms(kmsAt(1))
    kms.stage = (operation) =>
      operation === 'currentVersion'
        ? [{ provider: 'local', kekId: 'app', kekVersion: '2' }]
        : undefined
    const { ports } = new Clock()
    const step = createRotationStep({ kms, sources: [source], ...ports })
    const { state, outage } = await step(newState(source))
    expect(outage?.error.code).toBe('ERR_KMS_UNAVAILABLE')
    expect(state.counts.done).toBe(0)
    expect(versionsIn(source)).toEqual(['1'])
  })

  // https://github.com/juspay/xyne-spaces/pull/944: one count for values that need three different repairs.
  it('"failed" hides missing key, corrupt and not ours: each has a class, a count and a code', async () => {
    const source = await tableOf(1)
    const torn = await encrypted()
    const moved = await cipherAt(1, { cache: false }).encrypt(utf8('x'), {
      context: { tenant: 'other' },
    })
    const elsewhere = await cipherAt(1, { kms: kmsAt(1, 'elsewhere') }).encrypt(utf8('x'), {
      context,
    })
    const denied = await encrypted(1, 'denied')
    source.set('s-torn', { secret: torn.subarray(0, 40) })
    source.set('s-moved', { secret: moved })
    source.set('s-unknown', { secret: elsewhere })
    source.set('s-plain', { secret: 'not ours' })
    source.set('s-denied', { secret: denied })
    const kms = new StagedKms(kmsAt(2))
    let unwraps = 0
    kms.stage = (operation) => {
      // The values are opened in the order of their ids, one at a time.
      if (operation === 'unwrapDataKey' && (unwraps += 1) === 3)
        throw new KmsError('ERR_KMS_ACCESS_DENIED', { provider: 'local' })
    }
    const told: RotationFailure[] = []
    const step = createRotationStep({
      kms,
      sources: [source],
      contextOf: () => context,
      concurrency: 1,
      failures: (failures) => void told.push(...failures),
      ...new Clock().ports,
    })
    const { state } = await runAll(step, newState(source))
    expect(state.counts).toMatchObject({
      ...{ done: 1, foreign: 1, corrupt: 2, denied: 1, 'unknown-key': 1, outage: 0 },
    })
    expect(told.map(({ id, class: name, code }) => [id, name, code]).sort()).toEqual([
      ['s-denied', 'denied', 'ERR_KMS_ACCESS_DENIED'],
      ['s-moved', 'corrupt', 'ERR_DECRYPT_FAILED'],
      ['s-torn', 'corrupt', 'ERR_WIRE_MALFORMED'],
      ['s-unknown', 'unknown-key', 'ERR_ENVELOPE_UNKNOWN_KEY'],
    ])
  })

  // https://jira.mongodb.org/browse/NODE-4356: whole documents were replaced by what the rewrap had read of them.
  it('partial documents overwrite key documents: nothing but the value of a row is written', async () => {
    const database = new DatabaseSync(':memory:')
    database.exec('CREATE TABLE keys (id TEXT PRIMARY KEY, secret BLOB, names TEXT, made INTEGER)')
    const insert = database.prepare('INSERT INTO keys VALUES (?, ?, ?, ?)')
    for (const id of ['a', 'b']) insert.run(id, await encrypted(), 'old name', 7)
    const source = sqliteSource({ database, table: 'keys', key: ['id'], values: ['secret'] })
    const kms = new StagedKms(kmsAt(2))
    kms.stage = (operation) => {
      // Somebody renames a key while it is rewrapped.
      if (operation === 'wrapDataKey') database.exec(`UPDATE keys SET names = 'new name'`)
    }
    const { ports } = new Clock()
    const { state } = await runAll(
      createRotationStep({ kms, sources: [source], ...ports }),
      newState(source),
    )
    expect(state.counts.done).toBe(2)
    const rows = database.prepare('SELECT id, names, made FROM keys ORDER BY id').all()
    expect(rows.map((row) => ({ ...row }))).toEqual([
      { id: 'a', names: 'new name', made: 7 },
      { id: 'b', names: 'new name', made: 7 },
    ])
  })

  // AWS Encryption SDK, VersionKey of branch keys: two calls at once could each replace what the other had written.
  it('VersionKey races with itself: of two rotators at one data-key record, one replaces it', async () => {
    const store = new MemoryDataKeyStore()
    const cipher = cipherAt(1, { dataKeyStore: store })
    const message = await cipher.encrypt(utf8('by reference'), { context, form: 'reference' })
    const swaps: boolean[] = []
    const swap = store.compareAndSwap.bind(store)
    store.compareAndSwap = async (...args) => {
      const isSwapped = await swap(...args)
      swaps.push(isSwapped)
      return isSwapped
    }
    const source = dataKeySource(store)
    const ends = await Promise.all(
      [1, 2].map(() => {
        const { ports } = new Clock()
        return runAll(
          createRotationStep({ kms: kmsAt(2), sources: [source], ...ports }),
          newState(source),
        )
      }),
    )
    expect(swaps.filter(Boolean)).toHaveLength(1)
    expect(ends.map(({ state }) => state.phase)).toEqual(['finished', 'finished'])
    expect(ends.reduce((sum, { state }) => sum + state.counts.done, 0)).toBe(1)
    const reader = cipherAt(2, { dataKeyStore: store })
    expect(Buffer.from(await reader.decrypt(message, { context })).toString()).toBe('by reference')
  })

  // Drupal, pdv: a key that got a new version under its old id looked rotated.
  it('an id without a version: a new version under the same id makes every value stale', async () => {
    const source = await tableOf(2)
    const { ports } = new Clock()
    const manager = new KeyRotationManager({ kms: kmsAt(2), sources: [source], ...ports })
    const before = source.value('r0000') as Uint8Array
    expect(EncryptedEnvelope.parse(before).wraps[0]?.kekId).toBe('app')
    expect(await manager.isCurrentVersion(before)).toBe(false)
    expect((await manager.census()).counts).toMatchObject({ stale: 2, current: 0 })
    const { counts } = await runRotation(manager)
    expect(counts).toMatchObject({ done: 2, current: 0 })
    expect(await manager.isCurrentVersion(source.value('r0000') as Uint8Array)).toBe(true)
  })
})

/** Resolves when a process has made its last call, and nothing has moved for a while. */
async function quiet(isDead: () => boolean): Promise<string> {
  for (let turns = 0; turns < 40; turns += isDead() ? 1 : 0)
    await new Promise((resolve) => setImmediate(resolve))
  return 'dead'
}
