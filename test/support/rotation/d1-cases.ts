import { type D1DatabaseBinding, d1Source } from '../../../adapters/workers/index.ts'
import type { ContractCase } from '../../../src/testing/index.ts'
import { demand, demandCode, demandEqual } from '../objects/world.ts'

/** Known differences of D1 from SQLite. */
export function d1Cases(database: D1DatabaseBinding): readonly ContractCase[] {
  const fresh = async (columns: string): Promise<string> => {
    const table = `t_${crypto.randomUUID().replaceAll('-', '')}`
    await database.prepare(`CREATE TABLE ${table} (${columns})`).all()
    return table
  }
  return [
    {
      name: 'walks integers above 2^53, which D1 would round',
      run: async () => {
        const table = await fresh('id INTEGER PRIMARY KEY, tenant INTEGER, v TEXT')
        const first = 9_007_199_254_740_993n
        for (let at = 0n; at < 5n; at++) {
          const id = String(first + at)
          await database.prepare(`INSERT INTO ${table} VALUES (${id}, ${id}, 'x')`).all()
        }
        const source = d1Source({ database, table, key: ['id'], values: ['v'], facts: ['tenant'] })
        const page = await source.page(undefined, 2, {})
        const next = await source.page(page.cursor, 5, {})
        const records = [...page.records, ...next.records]
        const expected = Array.from({ length: 5 }, (_, at) => String(first + BigInt(at)))
        demandEqual(
          records.map(({ id }) => id),
          expected,
        )
        demandEqual(records.at(-1)?.facts, { tenant: expected.at(-1) })
        const changes = expected.map((id) => ({ id, field: 'v', expected: 'x', next: 'y' }))
        demandEqual(
          await source.swap(changes, {}),
          expected.map(() => 'swapped'),
        )
      },
    },
    {
      name: 'swaps values of 600,000 bytes, above which JSON would not pass',
      run: async () => {
        const table = await fresh('id TEXT PRIMARY KEY, v BLOB')
        const [from, to] = [1, 2].map((byte) => new Uint8Array(600_000).fill(byte))
        await database.prepare(`INSERT INTO ${table} VALUES ('a', ?)`).bind(from).all()
        const source = d1Source({ database, table, key: ['id'], values: ['v'] })
        const change = { id: 'a', field: 'v', expected: from ?? '', next: to ?? '' }
        demandEqual(await source.swap([change, { ...change, id: 'b' }], {}), ['swapped', 'lost'])
        const value = (await source.read(['a'], {}))[0]?.values['v']
        demand(value instanceof Uint8Array && value.every((byte) => byte === 2), 'other bytes')
      },
    },
    {
      name: 'refuses a table that is not there, and a key that is not unique',
      run: async () => {
        const common = { database, key: ['id'], values: ['v'] }
        for (const table of ['no_such_table', await fresh('id TEXT, v BLOB')]) {
          const source = d1Source({ ...common, table })
          await demandCode(source.page(undefined, 1, {}), 'ERR_KMS_CONFIG')
        }
        const table = await fresh('id TEXT, v BLOB, UNIQUE (id)')
        const page = await d1Source({ ...common, table }).page(undefined, 1, {})
        demandEqual(page.records, [])
      },
    },
    {
      name: 'says of a CHECK that refuses the next value that the configuration is wrong',
      run: async () => {
        const table = await fresh('id TEXT PRIMARY KEY, v TEXT CHECK (length(v) < 4)')
        await database.prepare(`INSERT INTO ${table} VALUES ('a', 'abc')`).all()
        const source = d1Source({ database, table, key: ['id'], values: ['v'] })
        const change = { id: 'a', field: 'v', expected: 'abc', next: 'abcd' }
        await demandCode(source.swap([change], {}), 'ERR_KMS_CONFIG')
      },
    },
  ]
}
