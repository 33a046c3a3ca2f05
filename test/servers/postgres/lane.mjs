/** PostgreSQL's part of the lane: the stores over node-postgres, against the real server. */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { isKmsError } from '../../../src/errors.ts'
import {
  PostgresDataKeyStore,
  PostgresKeyValueStore,
  postgresSchema,
} from '../../../src/stores/index.ts'
import { withServers } from '../../../tools/servers/with-servers.mjs'
import { linkOf } from '../../support/race/chain-step.ts'
import { killWriters, raceTwo } from '../../support/race/processes.ts'
import { poolOf } from './clients.mjs'
import { openCuttingProxy } from './cutting-proxy.mjs'
import { checkStores } from '../lib/stores.mjs'
import { checkKills } from './kills.mjs'
import { checkSources } from './sources.mjs'

const names = ['postgres']
const child = fileURLToPath(new URL('chain.child.mjs', import.meta.url))
const links = 150
const delaysMs = [0, 0, 1, 2, 5, 50]
const bytes = new Uint8Array([0, 1, 254, 255])
const hour = { ttlMs: 3_600_000 }
const name = (letter) => `ek1/${letter.repeat(43)}`
let tables = 0

const isCode =
  (code, { about = '', retryable = false } = {}) =>
  (error) =>
    isKmsError(error, code) && error.message.includes(about) && error.retryable === retryable

/** Tables of their own. */
async function fresh(pool) {
  const values = `values_${++tables}`
  const dataKeys = `records_${tables}`
  await pool.query(postgresSchema({ values, dataKeys }))
  return { values, dataKeys }
}

async function checkContracts(check, pool) {
  const { values: table } = await fresh(pool)
  const values = () => new PostgresKeyValueStore({ client: pool, table })
  const records = async () =>
    new PostgresDataKeyStore({ client: pool, table: (await fresh(pool)).dataKeys })
  await checkStores(check, values, records)
}

async function checkRaces(check, pool, port) {
  await pool.query(postgresSchema())
  const store = new PostgresKeyValueStore({ client: pool })
  const program = { command: process.execPath, args: [child, String(port)] }
  await check('two processes race: each link has one winner', async () => {
    const { won, lost } = await raceTwo(program, `race/${crypto.randomUUID()}`, links)
    console.log(`postgres: ${won.join(' and ')} links won, ${lost} tries lost`)
  })
  await check('a process is killed in a write: before or after, never a third', async () => {
    const key = `crash/${crypto.randomUUID()}`
    const found = await killWriters(program, key, () => linkOf(store, key), delaysMs)
    console.log(`postgres: ${found.before} writes did not arrive, ${found.after} did`)
  })
}

async function checkCutAnswers(check, pool, port) {
  const { values, dataKeys } = await fresh(pool)
  const proxy = await openCuttingProxy(port)
  const cut = poolOf(proxy.port)
  await check('an answer that is cut off after the write leaves what was written', async () => {
    const lost = isCode('ERR_STORE_UNAVAILABLE', { retryable: true })
    proxy.cut('INSERT')
    const store = new PostgresKeyValueStore({ client: cut, table: values })
    await assert.rejects(store.compareAndSwap('cut', undefined, bytes, hour), lost)
    const records = new PostgresDataKeyStore({ client: cut, table: dataKeys })
    await assert.rejects(records.putIfAbsent(name('c'), bytes), lost)
    const whole = new PostgresKeyValueStore({ client: pool, table: values })
    assert.deepEqual(await whole.get('cut'), bytes)
    const wholeRecords = new PostgresDataKeyStore({ client: pool, table: dataKeys })
    assert.deepEqual(await wholeRecords.get(name('c')), bytes)
  })
  await cut.end()
  proxy.close()
}

async function checkDurability(check, pool, port) {
  const refuses = async (client, table, about) => {
    const store = new PostgresDataKeyStore({ client, table })
    await assert.rejects(store.putIfAbsent(name('d'), bytes), isCode('ERR_KMS_CONFIG', { about }))
  }
  const { dataKeys } = await fresh(pool)
  await check('a session that does not wait for the disk', async () => {
    const client = poolOf(port, { options: '-c synchronous_commit=off' })
    await refuses(client, dataKeys, 'synchronous_commit')
    await client.end()
  })
  await check('a table that a crash empties', async () => {
    await pool.query(`ALTER TABLE ${dataKeys} SET UNLOGGED`)
    await refuses(pool, dataKeys, 'crash')
  })
  await check('a table that is not there', async () => {
    await refuses(pool, 'not_there', 'was not found: create it')
    const store = new PostgresKeyValueStore({ client: pool, table: 'not_there' })
    await assert.rejects(store.get('a'), isCode('ERR_KMS_CONFIG', { about: '42P01' }))
  })
  await check('a table of another form', async () => {
    await pool.query('CREATE TABLE other (key text PRIMARY KEY, record text)')
    const store = new PostgresDataKeyStore({ client: pool, table: 'other' })
    await assert.rejects(store.putIfAbsent(name('d'), bytes), isCode('ERR_KMS_CONFIG'))
  })
}

async function checkRefusals(check, pool, port) {
  const { values, dataKeys } = await fresh(pool)
  const forGood = isCode('ERR_STORE_UNAVAILABLE')
  const withPool = async (more, work) => {
    const client = poolOf(port, more)
    await work(new PostgresKeyValueStore({ client, table: values, timeoutMs: 1_000 }))
    await client.end()
  }
  await check('a wrong password, and shows it to nobody', () =>
    withPool({ password: 'a-wrong-password' }, (store) =>
      assert.rejects(store.get('a'), (error) => {
        assert.ok(!inspect(error).includes('a-wrong-password'))
        return forGood(error)
      }),
    ),
  )
  await check('a role without the right', async () => {
    await pool.query('CREATE ROLE reader')
    await withPool({ options: '-c role=reader' }, (store) =>
      assert.rejects(store.get('a'), forGood),
    )
  })
  await check('a session that may not write', () =>
    withPool({ options: '-c default_transaction_read_only=on' }, (store) =>
      assert.rejects(store.put('a', bytes, hour), forGood),
    ),
  )
  await check('to wait longer than its deadline for a lock', async () => {
    const holder = await pool.connect()
    await new PostgresKeyValueStore({ client: pool, table: values }).put('held', bytes, hour)
    await holder.query(`BEGIN; UPDATE ${values} SET ends_at = ends_at`)
    const late = isCode('ERR_STORE_UNAVAILABLE', { retryable: true })
    await withPool({}, async (store) => {
      const write = assert.rejects(store.put('held', bytes, hour), late)
      await write.finally(() => holder.query('ROLLBACK'))
    })
    holder.release()
  })
  await check('to read as text what is a statement', async () => {
    const store = new PostgresKeyValueStore({ client: pool, table: values })
    const key = `'); DROP TABLE ${values}; --`
    await store.put(key, bytes, hour)
    assert.deepEqual(await store.get(key), bytes)
    const records = new PostgresDataKeyStore({ client: pool, table: dataKeys })
    assert.equal(await records.putIfAbsent(name('s'), bytes), true)
  })
}

async function checkSweep(check, pool) {
  await check('a write takes what has ended along, a few at a time', async () => {
    const { values: table } = await fresh(pool)
    const store = new PostgresKeyValueStore({ client: pool, table })
    for (let i = 0; i < 20; i++) await store.put(`ended/${i}`, bytes, hour)
    await pool.query(`UPDATE ${table} SET ends_at = now() - interval '1 second'`)
    // The last of those that have ended, so that the next write leaves it.
    await pool.query(`UPDATE ${table} SET ends_at = now() WHERE key = 'ended/19'`)
    const count = async () =>
      Number((await pool.query(`SELECT count(*) AS all FROM ${table}`)).rows[0].all)
    await store.put('a', bytes, hour)
    assert.equal(await count(), 5)
    assert.equal(await store.compareAndSwap('ended/19', undefined, bytes, hour), true)
    assert.equal(await count(), 2)
    assert.deepEqual(await store.get('ended/19'), bytes)
  })
}

/** @param {{ report: ReturnType<typeof import('../lib/report.mjs').createReport>, only?: readonly string[] }} options */
export async function runLane({ report, only = names }) {
  await withServers(only, async (servers, missing) => {
    for (const { name, reason } of missing) report.skip(`postgres/${name}`, reason)
    for (const { name, port } of Object.values(servers)) {
      const label = (what) => `postgres/${name} ${what}`
      const check = (what, work) => report.check(label(what), work)
      const refused = (what, work) => report.check(label(`refuses ${what}`), work)
      const pool = poolOf(port)
      const serializable = poolOf(port, {
        options: '-c default_transaction_isolation=serializable',
      })
      await checkContracts(check, pool)
      await checkContracts((what, work) => check(`serializable: ${what}`, work), serializable)
      await checkRaces(check, pool, port)
      await checkCutAnswers(check, pool, port)
      await checkSweep(check, pool)
      await checkSources(check, pool, port)
      await checkKills(check, port)
      await checkDurability(refused, pool, port)
      await checkRefusals(refused, pool, port)
      await serializable.end()
      await pool.end()
    }
  })
}
