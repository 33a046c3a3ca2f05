/** A database with rows under the first key, and workers of the example as processes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { node24, toolEnv } from '../../../tools/lib/folders.mjs'
import { runScript } from '../node/server.mjs'
import { started } from '../processes.mjs'
import { context, idOf, NEW_ENV, oldCipher, textOf } from '../rotation/keys.mjs'

/** @typedef {Awaited<ReturnType<typeof openWorld>>} World */

const INSERT_ROWS = `INSERT INTO customers (tenant, id, name, email, iban)
  SELECT 'acme', id, 'n', decode(email, 'base64'), decode(iban, 'base64')
  FROM unnest($1::text[], $2::text[], $3::text[]) AS u(id, email, iban)`
const INSERT_RECORDS = `INSERT INTO edge_kms_data_keys (key, record)
  SELECT key, decode(record, 'base64') FROM unnest($1::text[], $2::text[]) AS u(key, record)`
const base64 = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString('base64')
const utf8 = (/** @type {string} */ text) => new TextEncoder().encode(text)
const BATCH = 1_000

/**
 * @param {string} folder of the example
 * @param {string} database its URL
 * @param {Record<string, string>} settings JOB_SECONDS and RECORDS_PER_STEP
 */
export async function openWorld(folder, database, settings) {
  const { Pool } = createRequire(join(folder, 'package.json'))('pg')
  const pool = new Pool({ connectionString: database })
  const env = { DATABASE_URL: database, ...NEW_ENV, ...settings }
  /** @param {string} script */
  const run = (script) => runScript('node', folder, script, env)
  /** @param {string} sql  @param {unknown[]} [values]  @returns {Promise<any[]>} */
  const query = async (sql, values = []) => (await pool.query(sql, values)).rows

  await pool.query('DROP SCHEMA IF EXISTS pgboss CASCADE')
  await pool.query('DROP TABLE IF EXISTS customers, edge_kms_data_keys')
  await run('src/migrate.ts')

  return {
    query,
    run,
    /** Seeds rows of two values each, every value under a data key of its own. @param {number} count */
    async seedRows(count) {
      const cipher = oldCipher()
      for (let from = 0; from < count; from += BATCH) {
        const ats = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => from + i)
        const seal = (/** @type {number} */ at) => cipher.encrypt(utf8(textOf(at)), { context })
        const [emails, ibans] = [await Promise.all(ats.map(seal)), await Promise.all(ats.map(seal))]
        await query(INSERT_ROWS, [ats.map(idOf), emails.map(base64), ibans.map(base64)])
      }
    },
    /** Seeds data-key records, as messages by reference make them. @param {number} count */
    async seedRecords(count) {
      for (let from = 0; from < count; from += BATCH) {
        const dataKeyStore = new MemoryDataKeyStore()
        const cipher = oldCipher({ dataKeyStore, form: 'reference' })
        const size = Math.min(BATCH, count - from)
        await Promise.all(
          Array.from({ length: size }, () => cipher.encrypt(utf8('x'), { context })),
        )
        const { keys } = await dataKeyStore.list(undefined, size)
        const records = await Promise.all(keys.map((key) => dataKeyStore.get(key)))
        await query(INSERT_RECORDS, [keys, records.map((one) => base64(one ?? new Uint8Array()))])
      }
    },
    /** Returns all that is stored under keys. @returns {Promise<Uint8Array[]>} */
    async stored() {
      const rows = await query('SELECT email, iban FROM customers')
      const records = await query('SELECT record FROM edge_kms_data_keys')
      return [
        ...rows.flatMap(({ email, iban }) => [email, iban]),
        ...records.map((one) => one.record),
      ]
    },
    /** Returns how many jobs of the queue are in each state. @returns {Promise<Record<string, number>>} */
    async jobs(name = 'rotation') {
      const sql = 'SELECT state, count(*)::int AS n FROM pgboss.job WHERE name = $1 GROUP BY state'
      return Object.fromEntries((await query(sql, [name])).map(({ state, n }) => [state, n]))
    },
    /** Starts a worker, a process of its own. */
    async startWorker() {
      const options = { cwd: folder, env: { ...toolEnv(), ...env }, detached: true }
      const child = spawn(node24, ['src/worker.ts'], {
        ...options,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text) => (output += text))
      const closed = once(child, 'close').then(([code, signal]) => code ?? signal)
      await started(child, 'working')
      return {
        output: () => output,
        /** Ends it, and returns its exit code or the signal. @param {'SIGTERM' | 'SIGKILL'} signal */
        end(signal) {
          child.kill(signal)
          return closed
        },
      }
    },
    close: () => pool.end(),
  }
}
