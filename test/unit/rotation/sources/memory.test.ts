import { describe, expect, it } from 'vitest'
import { equalBytes } from '../../../../src/bytes/index.ts'
import { KmsError } from '../../../../src/errors.ts'
import type { DataKeyStore } from '../../../../src/ports/index.ts'
import {
  dataKeySource,
  iterableSource,
  type RotationRecord,
  type StoredValue,
} from '../../../../src/rotation/sources/index.ts'
import { MemoryDataKeyStore } from '../../../../src/stores/index.ts'
import { recordSourceContract, type RecordSourceWorld } from '../../../../src/testing/index.ts'
import { runContract } from '../../../support/contract.ts'

const failure = (): Promise<never> => Promise.reject(new Error('the disk is on fire'))

function keysWorld(): RecordSourceWorld {
  const store = new MemoryDataKeyStore()
  const failing: DataKeyStore = {
    consistency: 'strong',
    get: failure,
    putIfAbsent: failure,
    compareAndSwap: failure,
    delete: failure,
    list: failure,
  }
  return {
    source: dataKeySource(store),
    put: async (id, { record }) => {
      await store.delete(id)
      await store.putIfAbsent(id, new Uint8Array(record as Uint8Array))
    },
    delete: (id) => store.delete(id),
    failing: () => dataKeySource(failing),
  }
}

describe('contract: source of data keys', () => {
  const letters = (): string => crypto.randomUUID().replaceAll('-', '').padEnd(43, 'x')
  runContract(
    recordSourceContract({
      fields: { record: 'bytes' },
      create: keysWorld,
      newId: () => `ek1/${letters()}`,
      without: {
        textIds: 'a data key is named by ek1/ and 43 characters',
        nulls: 'a data key always has a record',
      },
    }),
  )
})

/** A writer over a map, as an API or a folder of files would be one. */
function mapWorld(): RecordSourceWorld {
  const rows = new Map<string, Record<string, StoredValue | null>>()
  const same = (a: StoredValue | null | undefined, b: StoredValue): boolean =>
    a instanceof Uint8Array && b instanceof Uint8Array ? equalBytes(a, b) : a === b
  async function* records(after: string | undefined): AsyncGenerator<RotationRecord> {
    await Promise.resolve()
    for (const id of [...rows.keys()].sort()) {
      const values = rows.get(id)
      if ((after === undefined || id > after) && values !== undefined) yield { id, values }
    }
  }
  return {
    source: iterableSource({
      name: 'map',
      records,
      swap: (changes) =>
        Promise.resolve(
          changes.map(({ id, field, expected, next }) => {
            const row = rows.get(id)
            if (row === undefined) return 'lost'
            if (!Object.hasOwn(row, field)) throw new RangeError('no such field')
            if (!same(row[field], expected)) return 'lost'
            row[field] = next
            return 'swapped'
          }),
        ),
    }),
    put: async (id, values) => {
      await Promise.resolve()
      rows.set(id, { ...values })
    },
    delete: async (id) => {
      await Promise.resolve()
      rows.delete(id)
    },
    failing: () =>
      iterableSource({
        name: 'map',
        records: async function* () {
          await failure()
        },
        swap: failure,
      }),
  }
}

describe('contract: source of an async iterable', () => {
  runContract(recordSourceContract({ fields: { secret: 'bytes', note: 'text' }, create: mapWorld }))
})

describe('a source of an async iterable', () => {
  const swap = (): Promise<never[]> => Promise.resolve([])
  it('ends the iteration once a page is full', async () => {
    let ended = 0
    async function* records(): AsyncGenerator<RotationRecord> {
      await Promise.resolve()
      try {
        for (let at = 0; ; at++) yield { id: String(at), values: {} }
      } finally {
        ended++
      }
    }
    const source = iterableSource({ name: 'endless', records, swap })
    const page = await source.page(undefined, 3, {})
    expect(page.records.map(({ id }) => id)).toEqual(['0', '1', '2'])
    expect(page.cursor).toBe('2')
    expect(ended).toBe(1)
  })

  it('refuses outcomes that are none', async () => {
    for (const answer of [undefined, [], ['swapped', 'swapped'], ['ok'], 'lost']) {
      const source = iterableSource({
        name: 'wrong',
        records: () => (async function* () {})(),
        swap: () => Promise.resolve(answer as never),
      })
      const change = { id: 'a', field: 'f', expected: 'x', next: 'y' }
      await expect(source.swap([change], {})).rejects.toMatchObject({
        code: 'ERR_STORE_UNAVAILABLE',
        retryable: false,
      })
    }
  })

  it('refuses ids above 1,024 bytes, and options that are none', async () => {
    const long = (async function* () {
      await Promise.resolve()
      yield { id: 'é'.repeat(513), values: {} }
    })()
    const source = iterableSource({ name: 'long', records: () => long, swap })
    await expect(source.page(undefined, 1, {})).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
    const good = { name: 'a', records: () => long, swap }
    const bad = [
      { ...good, name: undefined },
      { ...good, name: 'a b' },
      { ...good, records: 'all' },
      { ...good, swap: undefined },
      { ...good, read: 7 },
      { ...good, reads: swap },
      { ...good, timeoutMs: 0 },
    ]
    for (const options of bad) expect(() => iterableSource(options as never)).toThrow(KmsError)
  })
})
