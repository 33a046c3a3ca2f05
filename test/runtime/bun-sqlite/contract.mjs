/** The contract of a rotation's source on bun:sqlite, in Bun: `<file of the table> <file of the database>`. */
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { sqliteSource } from '../../../src/rotation/sources/index.ts'
import { recordSourceContract } from '../../../src/testing/index.ts'
import { printTable, runCases } from '../runners/report.mjs'

const [tablePath, databasePath] = process.argv.slice(2)
// Only Bun has it.
const { Database } = /** @type {any} */ (await import(['bun', 'sqlite'].join(':')))
const database = new Database(databasePath)
const columns = { key: ['id'], values: ['secret', 'note'] }
let tables = 0

const create = () => {
  const table = `source_${++tables}`
  database.run(`CREATE TABLE ${table} (id TEXT PRIMARY KEY, secret BLOB, note TEXT)`)
  const insert = database.prepare(`INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?)`)
  const remove = database.prepare(`DELETE FROM ${table} WHERE id = ?`)
  return {
    source: sqliteSource({ database, table, ...columns }),
    async put(id, { secret = null, note = null }) {
      insert.run(id, secret, note)
    },
    async delete(id) {
      remove.run(id)
    },
    failing() {
      const closed = new Database(':memory:')
      closed.close()
      return sqliteSource({ database: closed, table, ...columns })
    },
  }
}

const cases = recordSourceContract({ fields: { secret: 'bytes', note: 'text' }, create })
const inTransaction = {
  name: 'refuses calls inside a transaction of the caller',
  async run() {
    const { source } = create()
    database.run('BEGIN')
    const code = await source.page(undefined, 1, {}).then(
      () => 'none',
      (/** @type {unknown} */ error) => Object(error).code,
    )
    database.run('ROLLBACK')
    if (code !== 'ERR_STORE_UNAVAILABLE') throw new Error(`got ${code}`)
  },
}
const table = await runCases([...cases, inTransaction])
writeFileSync(tablePath, JSON.stringify(table))
process.exitCode = printTable('bun-sqlite', table)
