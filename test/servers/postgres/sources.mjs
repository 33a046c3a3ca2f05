/** A rotation's source on the real server: the contract, contention, and what a table must be. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isKmsError } from '../../../src/errors.ts'
import { postgresSource } from '../../../src/rotation/sources/index.ts'
import { recordSourceContract } from '../../../src/testing/index.ts'
import { postgresWorld } from '../../support/rotation/postgres-world.ts'
import { poolOf } from './clients.mjs'
import { openCuttingProxy } from './cutting-proxy.mjs'

const text = (number) => new TextEncoder().encode(`value ${number}`)
const numberOf = (value) => Number(new TextDecoder().decode(value).slice('value '.length))

/** The record of this id, which is there, and its number. */
async function numberAt(source, id) {
  const [record] = await source.read([id], {})
  assert.ok(record !== undefined, `no record ${id}`)
  return numberOf(record.values.v)
}
const isUnavailable = (retryable) => (error) =>
  isKmsError(error, 'ERR_STORE_UNAVAILABLE') && error.retryable === retryable

/** A table of so many rows, each `value 0`. */
async function tableOf(pool, table, rows) {
  await pool.query(`CREATE TABLE ${table} (id bigint PRIMARY KEY, v bytea)`)
  await pool.query(`INSERT INTO ${table} SELECT id, $1 FROM generate_series(1, $2::int) id`, [
    Buffer.from(text(0)),
    rows,
  ])
  return { table, key: ['id'], values: ['v'] }
}

async function deadlocks(pool) {
  await sleep(1_200) // a session reports at most once a second
  const sql =
    'SELECT deadlocks::int AS count FROM pg_stat_database WHERE datname = current_database()'
  return (await pool.query(sql)).rows[0].count
}

/** Adds one to every row, `rounds` times, a page of 200 at a time. */
async function addToEach(client, options, ids, rounds) {
  const source = postgresSource({ client, ...options })
  let lost = 0
  for (let round = 0; round < rounds; round++) {
    for (let from = 0; from < ids.length; from += 200) {
      let left = ids.slice(from, from + 200)
      while (left.length > 0) {
        const records = await source.read(left, {})
        const changes = records.map((record) => {
          assert.ok(record !== undefined)
          const { v } = /** @type {Record<string, Uint8Array>} */ (record.values)
          return { id: record.id, field: 'v', expected: v, next: text(numberOf(v) + 1) }
        })
        const outcomes = await source.swap(changes, {})
        left = left.filter((_, at) => outcomes[at] === 'lost')
        lost += left.length
      }
    }
  }
  return lost
}

async function checkContention(check, pool, port) {
  await check('two rotators in opposite orders: no deadlock, and no change is lost', async () => {
    const options = await tableOf(pool, 'contended', 1_000)
    const ids = Array.from({ length: 1_000 }, (_, at) => String(at + 1))
    const other = poolOf(port)
    const before = await deadlocks(pool)
    const lost = await Promise.all([
      addToEach(pool, options, ids, 5),
      addToEach(other, options, ids.toReversed(), 5),
    ])
    const { rows } = await pool.query('SELECT DISTINCT v FROM contended')
    assert.deepEqual(
      rows.map(({ v }) => numberOf(v)),
      [10],
    )
    assert.equal((await deadlocks(pool)) - before, 0)
    assert.ok(lost[0] + lost[1] > 0, 'they never met')
    console.log(`postgres: two rotators lost ${lost.join(' and ')} races for 10,000 changes`)
    await other.end()
  })
  await check(
    'a deadlock with a transaction that locks in another order is tried again',
    async () => {
      const options = await tableOf(pool, 'crossed', 2)
      const before = await deadlocks(pool)
      const holder = await pool.connect()
      await holder.query('BEGIN; UPDATE crossed SET v = v WHERE id = 2')
      const source = postgresSource({ client: pool, ...options })
      const changes = ['1', '2'].map((id) => ({ id, field: 'v', expected: text(0), next: text(1) }))
      const swapped = source.swap(changes, {}) // holds row 1, waits for row 2
      await sleep(300)
      // One of both is the victim: the holder, or the swap, which is made again.
      const update = await holder.query('UPDATE crossed SET v = v WHERE id = 1').then(
        () => 'COMMIT',
        () => 'ROLLBACK',
      )
      await holder.query(update)
      holder.release()
      assert.deepEqual(await swapped, ['swapped', 'swapped'])
      // The swap that is tried again may lock row 1 before the holder wakes, which is a second deadlock.
      assert.ok((await deadlocks(pool)) > before)
    },
  )
  await check('a row that is locked is waited for, and never skipped', async () => {
    const options = await tableOf(pool, 'held', 3)
    const source = postgresSource({ client: pool, ...options })
    const changes = ['1', '2', '3'].map((id) => {
      return { id, field: 'v', expected: text(0), next: text(1) }
    })
    for (const [end, outcome] of [
      ['ROLLBACK', 'swapped'],
      ['COMMIT', 'lost'],
    ]) {
      await pool.query('UPDATE held SET v = $1', [Buffer.from(text(0))])
      const holder = await pool.connect()
      await holder.query('BEGIN')
      await holder.query('UPDATE held SET v = $1 WHERE id = 2', [Buffer.from(text(7))])
      const swap = source.swap(changes, {})
      await sleep(200)
      await holder.query(end)
      holder.release()
      assert.deepEqual(await swap, ['swapped', outcome, 'swapped'])
      assert.equal(await numberAt(source, '2'), end === 'COMMIT' ? 7 : 1)
    }
  })
}

async function checkCutAnswers(check, pool, port) {
  await check('a swap whose answer was lost is lost when it is made again', async () => {
    const options = await tableOf(pool, 'cut_off', 2)
    const proxy = await openCuttingProxy(port)
    const cut = poolOf(proxy.port)
    const source = postgresSource({ client: cut, ...options })
    await source.page(undefined, 1, {})
    const changes = [{ id: '1', field: 'v', expected: text(0), next: text(1) }]
    proxy.cut('done AS (UPDATE')
    await assert.rejects(source.swap(changes, {}), isUnavailable(true))
    const whole = postgresSource({ client: pool, ...options })
    assert.deepEqual(await whole.swap(changes, {}), ['lost'])
    assert.equal(await numberAt(whole, '1'), 1)
    await cut.end()
    proxy.close()
  })
}

async function checkBytes(check, pool) {
  await check('values are compared byte for byte, whatever the collation says', async () => {
    await pool.query(
      `CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`,
    )
    await pool.query('CREATE TABLE folded (id text PRIMARY KEY, v text COLLATE no_case)')
    await pool.query(`INSERT INTO folded VALUES ('a', 'Value')`)
    assert.equal((await pool.query(`SELECT 1 FROM folded WHERE v = 'vALUE'`)).rows.length, 1)
    const source = postgresSource({ client: pool, table: 'folded', key: ['id'], values: ['v'] })
    const swap = (expected) => source.swap([{ id: 'a', field: 'v', expected, next: 'x' }], {})
    assert.deepEqual(await swap('vALUE'), ['lost'])
    assert.deepEqual(await swap('Value'), ['swapped'])
  })
}

async function checkRefusals(check, pool, port) {
  const change = { id: '1', field: 'v', expected: text(0), next: text(1) }
  const options = await tableOf(pool, 'refused', 1)
  await check('a session that does not wait for the disk may read and not write', async () => {
    const client = poolOf(port, { options: '-c synchronous_commit=off' })
    const source = postgresSource({ client, ...options })
    assert.equal((await source.page(undefined, 5, {})).records.length, 1)
    await assert.rejects(source.swap([change], {}), (error) => isKmsError(error, 'ERR_KMS_CONFIG'))
    await client.end()
  })
  await check('a role that may read and not write is refused for good', async () => {
    await pool.query('CREATE ROLE onlooker; GRANT SELECT ON refused TO onlooker')
    const client = poolOf(port, { options: '-c role=onlooker' })
    const source = postgresSource({ client, ...options })
    assert.equal((await source.page(undefined, 5, {})).records.length, 1)
    await assert.rejects(source.swap([change], {}), isUnavailable(false))
    await client.end()
  })
}

/** Rows per second of the swap alone, over a network of one machine. No limit: it is printed. */
async function printRates(pool) {
  const rows = 100_000
  const message = (seed) => Buffer.alloc(300, seed)
  await pool.query('CREATE TABLE measured (id bigint PRIMARY KEY, v bytea)')
  await pool.query(`INSERT INTO measured SELECT id, $1 FROM generate_series(1, ${rows}) id`, [
    message(1),
  ])
  await pool.query('VACUUM ANALYZE measured')
  const source = postgresSource({ client: pool, table: 'measured', key: ['id'], values: ['v'] })
  const spent = { page: 0, swap: 0 }
  const timed = async (part, work) => {
    const start = performance.now()
    const result = await work()
    spent[part] += performance.now() - start
    return result
  }
  let cursor
  let seen = 0
  do {
    const page = await timed('page', () => source.page(cursor, 1_000, {}))
    const changes = page.records.map(({ id, values: { v } }) => {
      return { id, field: 'v', expected: v, next: message(2) }
    })
    const outcomes = await timed('swap', () => source.swap(changes, {}))
    assert.ok(outcomes.every((outcome) => outcome === 'swapped'))
    seen += changes.length
    ;({ cursor } = page)
  } while (cursor !== undefined)
  assert.equal(seen, rows)
  const rate = (ms) => `${Math.round((rows / ms) * 1_000)} rows/s`
  console.log(
    `postgres: 100,000 rows of 300 bytes: read ${rate(spent.page)}, swapped ${rate(spent.swap)}`,
  )
}

/**
 * @param {(what: string, work: () => Promise<void>) => Promise<void>} check
 * @param {ReturnType<typeof poolOf>} pool
 * @param {number} port
 */
export async function checkSources(check, pool, port) {
  const serializable = poolOf(port, { options: '-c default_transaction_isolation=serializable' })
  for (const [label, client, kinds] of [
    ['source', pool, ['text', 'bigint', 'composite']],
    ['serializable: source', serializable, ['uuid']],
  ]) {
    for (const kind of kinds) {
      for (const { name, run, skip } of recordSourceContract(postgresWorld(client, kind).subject)) {
        if (skip === undefined) await check(`${label} by ${kind}: ${name}`, run)
      }
    }
  }
  await serializable.end()
  await checkContention(check, pool, port)
  await checkCutAnswers(check, pool, port)
  await checkBytes(check, pool)
  await checkRefusals(check, pool, port)
  if (process.env.EDGE_KMS_SOURCE_RATES === '1') await check('100,000 rows', () => printRates(pool))
}
