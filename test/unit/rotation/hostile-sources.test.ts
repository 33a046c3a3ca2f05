// Sources that answer what their interface does not promise: a job ends with a typed error, and never hangs.
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, kmsByContext, KmsError } from '../../../src/index.ts'
import { KeyRotationManager } from '../../../src/rotation/key-rotation-manager.ts'
import type { KeyRotationManagerOptions } from '../../../src/rotation/manager-options.ts'
import type { ObjectSource, RecordPage, ValueSource } from '../../../src/rotation/record-source.ts'
import { sqliteSource } from '../../../src/rotation/sources/index.ts'
import { runRotation } from '../../../src/rotation/run-rotation.ts'
import { cipherAt, Clock, isSame, kmsAt, MemorySource, StagedKms } from './fixture.ts'
import { encrypted, tableOf, versionsIn } from './tables.ts'

const FINGERPRINT_KEY = new Uint8Array(32).fill(7)

function managerOf(
  source: ValueSource | ObjectSource,
  more: Partial<KeyRotationManagerOptions> = {},
) {
  return new KeyRotationManager({
    kms: kmsAt(2),
    sources: [source],
    pageSize: 2,
    fingerprintKey: FINGERPRINT_KEY,
    ...new Clock().ports,
    ...more,
  })
}

/** Every call that walks through the sources. */
const WALKS: Readonly<Record<string, (manager: KeyRotationManager) => Promise<unknown>>> = {
  run: (manager) => runRotation(manager),
  dryRun: (manager) => manager.dryRun(),
  plan: (manager) => manager.plan(),
  census: (manager) => manager.census(),
  fingerprint: (manager) => manager.fingerprint(),
}

class Answering extends MemorySource {
  readonly #answer: (page: RecordPage, cursor: string | undefined) => unknown

  constructor(answer: (page: RecordPage, cursor: string | undefined) => unknown) {
    super()
    this.#answer = answer
  }

  override async page(cursor: string | undefined, limit: number): Promise<RecordPage> {
    return this.#answer(await super.page(undefined, limit), cursor) as RecordPage
  }
}

async function answering(
  answer: (page: RecordPage, cursor: string | undefined) => unknown,
): Promise<Answering> {
  const source = new Answering(answer)
  source.set('r1', { secret: await encrypted(2) })
  return source
}

describe.each(Object.entries(WALKS))('%s over a source that breaks its contract', (_, walk) => {
  it.each<[string, (page: RecordPage, cursor: string | undefined) => unknown]>([
    ['answers the cursor that it was given', ({ records }) => ({ records, cursor: 'same' })],
    [
      'answers cursors in a circle',
      (_page, cursor = '4') => ({ records: [], cursor: String((Number(cursor) + 1) % 5) }),
    ],
    ['answers no records', () => ({})],
    ['answers nothing', () => undefined],
    ['answers a cursor that is a number', ({ records }) => ({ records, cursor: 1 })],
    ['answers a record that is null', () => ({ records: [null] })],
    ['answers a record without values', () => ({ records: [{ id: 'r1' }] })],
    ['answers an id that is a number', () => ({ records: [{ id: 1, values: {} }] })],
    ['answers an id that is too long', () => ({ records: [{ id: 'é'.repeat(513), values: {} }] })],
    ['answers a value that is a number', () => ({ records: [{ id: '1', values: { a: 1 } }] })],
    ['answers an undefined value', () => ({ records: [{ id: '1', values: { a: undefined } }] })],
    ['answers an empty array', () => ({ records: [{ id: '1', values: { a: [] } }] })],
    ['answers a buffer', () => ({ records: [{ id: '1', values: { a: new ArrayBuffer(8) } }] })],
    ['answers a promise', () => ({ records: [{ id: '1', values: { a: Promise.resolve('') } }] })],
  ])('rejects with ERR_KMS_CONFIG where it %s', async (_name, answer) => {
    const manager = managerOf(await answering(answer))
    await expect(walk(manager)).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
  })

  it('accepts pages that are empty, and longer than asked for', async () => {
    let at = 0
    const source = await answering(({ records: [record] }) => {
      at += 1
      const ids = Array.from({ length: 5 }, (_one, i) => `${String(at)}-${String(i)}`)
      const records = at % 2 === 0 ? [] : ids.map((id) => ({ ...record, id }))
      return { records, ...(at < 9 && { cursor: String(at) }) }
    })
    await expect(walk(managerOf(source))).resolves.toBeDefined()
  })
})

describe('the largest page', () => {
  it('is one that every source of the library gives', async () => {
    const database = new DatabaseSync(':memory:')
    database.exec('CREATE TABLE notes (id TEXT PRIMARY KEY, body BLOB)')
    database.prepare('INSERT INTO notes VALUES (?, ?)').run('a', await encrypted(1))
    const source = sqliteSource({ database, table: 'notes', key: ['id'], values: ['body'] })
    const result = await runRotation(managerOf(source, { pageSize: 1_000 }))
    expect(result).toMatchObject({ phase: 'finished', deksRotated: 1 })
    expect(() => managerOf(source, { pageSize: 1_001 })).toThrow('pageSize')
  })
})

describe('a job that comes no further', () => {
  /** Returns the error of a run, and fails if it is endless. */
  async function errorOf(manager: KeyRotationManager): Promise<unknown> {
    let steps = 0
    const progress = (): void => {
      if ((steps += 1) > 500) throw new Error('the run is endless')
    }
    return runRotation(manager, { progress }).then(
      () => 'finished',
      (error: unknown) => error,
    )
  }

  it('ends with the error of the source whose every swap fails', async () => {
    const source = await tableOf(3)
    source.before = (call) => {
      if (call === 'swap') throw new Error('disk full')
    }
    expect(await errorOf(managerOf(source))).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })

  it('ends with ERR_STORE_CONFLICT where every swap is lost', async () => {
    const source = await tableOf(3)
    source.swap = (changes) => Promise.resolve(changes.map(() => 'lost' as const))
    expect(await errorOf(managerOf(source))).toMatchObject({ code: 'ERR_STORE_CONFLICT' })
  })

  it('ends with the outage of the KMS that lasts for one value alone, once the others are done', async () => {
    const source = await tableOf(5)
    const kms = new StagedKms(kmsAt(2))
    const value = source.value('r0001') as Uint8Array
    const [bad] = EncryptedEnvelope.parse(value).wraps
    kms.stage = (operation, { wraps: [wrap] = [] }) => {
      if (operation === 'unwrapDataKey' && isSame(wrap?.wrapped ?? null, bad?.wrapped ?? null))
        throw new KmsError('ERR_KMS_UNAVAILABLE')
    }
    expect(await errorOf(managerOf(source, { kms }))).toMatchObject({ code: 'ERR_KMS_UNAVAILABLE' })
    source.rows.delete('r0001')
    expect(versionsIn(source)).toEqual(['2'])
  })

  it("ends with one customer's outage, once the others are done", async () => {
    const source = await tableOf(30)
    for (const id of ['r0005a', 'r0022a']) {
      const secret = await cipherAt(1).encrypt(new Uint8Array(1), { context: { tenant: 'down' } })
      source.set(id, { secret })
    }
    const kms = kmsByContext({
      keyFor: ({ tenant }) => tenant,
      create: (name) => {
        if (name === 'down') throw new KmsError('ERR_KMS_UNAVAILABLE')
        return kmsAt(2)
      },
    })
    expect(await errorOf(managerOf(source, { kms }))).toMatchObject({ code: 'ERR_KMS_UNAVAILABLE' })
    for (const id of ['r0005a', 'r0022a']) source.rows.delete(id)
    expect(versionsIn(source)).toEqual(['2'])
  })
})

describe('a source that answers a swap wrongly', () => {
  it('ends with ERR_KMS_CONFIG where read answers no records', async () => {
    for (const answer of [undefined, [], [{ id: 'r0000' }], [7], [{ id: 'other', values: {} }]]) {
      const source = await tableOf(1)
      source.swap = (changes) => Promise.resolve(changes.map(() => 'lost' as const))
      source.read = () => Promise.resolve(answer as never)
      await expect(runRotation(managerOf(source))).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
    }
  })

  it('ends with ERR_KMS_CONFIG where swap answers no outcome for each change', async () => {
    for (const answer of [undefined, [], ['swapped'], ['swapped', true], Array(3).fill('lost')]) {
      const source = await tableOf(2)
      source.swap = () => Promise.resolve(answer as never)
      await expect(runRotation(managerOf(source))).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
    }
  })

  it('counts no object as rewrapped whose source does not say so', async () => {
    const secret = await encrypted(1)
    const source: ObjectSource = {
      kind: 'objects',
      name: 'files',
      page: () => Promise.resolve({ records: [{ id: 'a', values: { object: secret } }] }),
      rewrap: () => Promise.resolve(true as never),
    }
    await expect(runRotation(managerOf(source))).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
  })
})
