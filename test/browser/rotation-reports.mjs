/** Reports of a real rotation: a table in memory with failures, and with ids that an attacker chose. */
import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { EnvelopeCipher } from '../../src/index.ts'
import { createLocalKms } from '../../src/providers/local/index.ts'
import {
  KeyRotationManager,
  progressSeries,
  rotationReport,
  runRotation,
  sqliteSource,
} from '../../src/rotation/index.ts'

/** Runs code, leaves its attribute, loads a picture, and turns text around, if anything of it is not text. */
export const HOSTILE = [
  '<script>globalThis.owned = true</script>',
  `"><img src="http://127.0.0.1:9/x" onerror="globalThis.owned = true">`,
  '</title></style><style>*{display:none}</style>',
  '\u202Egnp.exe\u001B[31m',
]

const keys = [1, 2, 3].map((version) => ({ version, key: randomBytes(32) }))

/** @param {number} rows */
async function tableOf(rows) {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE customers (id TEXT PRIMARY KEY, iban BLOB)')
  const insert = database.prepare('INSERT INTO customers VALUES (?, ?)')
  for (const [i, count] of [Math.floor(rows * 0.7), Math.ceil(rows * 0.3)].entries()) {
    const kms = createLocalKms({ versions: keys.slice(0, i + 1) })
    const cipher = new EnvelopeCipher({ kms, maxMessages: 10 })
    for (let row = 0; row < count; row += 1)
      insert.run(
        `row-${i}-${row}`,
        await cipher.encrypt(Buffer.from('DE89'), { context: { row: 'x' } }),
      )
  }
  const strange = createLocalKms({ kekId: 'forgotten', versions: keys.slice(0, 1) })
  for (const id of HOSTILE)
    insert.run(
      id,
      await new EnvelopeCipher({ kms: strange }).encrypt(Buffer.from('?'), { context: {} }),
    )
  for (const id of ['cut-1', 'cut-2', 'cut-3']) {
    const { iban } = /** @type {{ iban: Uint8Array }} */ (
      database.prepare("SELECT iban FROM customers WHERE id = 'row-0-0'").get()
    )
    insert.run(id, iban.slice(0, 20))
  }
  insert.run('plain', Buffer.from('DE89'))
  return database
}

/** Returns the reports of a plan and of its run. @param {number} [rows] */
export async function rotationReports(rows = 600) {
  const database = await tableOf(rows)
  const source = sqliteSource({ database, table: 'customers', key: ['id'], values: ['iban'] })
  const kms = createLocalKms({ versions: keys })
  const options = {
    kms,
    sources: [source],
    pageSize: 50,
    job: 'customers',
    threshold: { share: 0.5 },
  }
  const manager = new KeyRotationManager({ ...options, rate: { requestsPerSecond: 2_000 } })
  const before = await manager.census()
  const plan = await manager.plan()
  const series = progressSeries()
  const result = await runRotation(manager, { plan, progress: series.add })
  const censuses = [before, await manager.census()]
  return {
    plan: rotationReport({ plan, censuses: [before] }),
    run: rotationReport({ plan, censuses, samples: series.samples(), result }),
  }
}
