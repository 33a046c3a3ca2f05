/**
 * R29 `node --expose-gc test/scale/rotation.mjs [local|openbao] [records]`: rotates data-key records on PostgreSQL from a plan
 * to the last sweep, 1,000,000 under the local provider and 20,000 under OpenBao. The calls must be those of the plan,
 * and memory must not grow with the records (R29). Rates and the ratio of the times are printed, without a limit.
 */
import assert from 'node:assert/strict'
import process from 'node:process'
import { EnvelopeCipher, InterceptedKms } from '../../src/index.ts'
import { createLocalKms } from '../../src/providers/local/index.ts'
import { createVaultTransitKms, vaultToken } from '../../src/providers/vault-transit/index.ts'
import { KeyRotationManager } from '../../src/rotation/index.ts'
import { postgresSource } from '../../src/rotation/sources/index.ts'
import { postgresSchema } from '../../src/stores/index.ts'
import { withServers } from '../../tools/servers/with-servers.mjs'
import { poolOf } from '../servers/postgres/clients.mjs'
import { withOpenBao } from '../servers/vault/openbao.mjs'

const standard = { local: 1_000_000, openbao: 20_000 }
const asked = process.argv.slice(2)
const kinds = Object.keys(standard).filter((kind) => asked.length === 0 || asked.includes(kind))
const records = (kind) => Number(asked.find((arg) => /^\d+$/.test(arg)) ?? standard[kind])
/** Records of one INSERT. */
const BATCH = 1_000
/** Of the heap over the second half, MiB: what is remembered has its bound before that. */
const MOST_GROWTH_MIB = 8
/** Records of the run that tells what our own code takes. */
const SAMPLE = 10_000

const collect = globalThis.gc
if (collect === undefined) throw new Error('run it with --expose-gc')

/** Holds new data-key records until there are enough for one INSERT. */
class Buffered {
  consistency = /** @type {const} */ ('strong')
  rows = []
  /** Records that are read back at once. */
  held = new Map()

  constructor(pool) {
    this.pool = pool
  }

  async putIfAbsent(key, record) {
    this.rows.push([key, Buffer.from(record)])
    this.held.set(key, record)
    if (this.rows.length >= BATCH) await this.flush()
    return true
  }

  async flush() {
    const rows = this.rows.splice(0)
    const [keys, values] = [rows.map(([key]) => key), rows.map(([, record]) => record)]
    const sql = 'INSERT INTO kept SELECT * FROM unnest($1::text[], $2::bytea[])'
    await this.pool.query(sql, [keys, values])
  }

  async get(key) {
    const record = this.held.get(key)
    this.held.delete(key)
    return record
  }

  compareAndSwap = () => Promise.reject(new Error('nothing here calls it'))
  delete = this.compareAndSwap
  list = this.compareAndSwap
}

/** Fills the table with records under the first version. */
async function fill(pool, kms, count) {
  await pool.query('DROP TABLE IF EXISTS kept')
  await pool.query(postgresSchema({ values: 'kept_values', dataKeys: 'kept' }))
  const dataKeyStore = new Buffered(pool)
  const cipher = new EnvelopeCipher({ kms, cache: false, form: 'reference', dataKeyStore })
  for (let from = 0; from < count; from += 16)
    await Promise.all(
      Array.from({ length: Math.min(16, count - from) }, () =>
        cipher.encrypt(new Uint8Array(1), { context: { tenant: 'acme' } }),
      ),
    )
  await dataKeyStore.flush()
  await pool.query('VACUUM ANALYZE kept')
}

async function heapMiB() {
  for (let i = 0; i < 2; i++) {
    await collect?.({ execution: 'async' })
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return process.memoryUsage().heapUsed / 1_048_576
}

function sourceOf(pool) {
  return postgresSource({ client: pool, table: 'kept', key: ['key'], values: ['record'] })
}

/** Rotates the table, and returns what it took. */
async function rotate(pool, kms, count) {
  const sources = [sourceOf(pool)]
  const rate = { requestsPerSecond: 1_000_000 }
  const manager = new KeyRotationManager({ kms, sources, pageSize: 1_000, concurrency: 16, rate })
  const plan = await manager.plan()
  assert.equal(plan.counts.done, count)
  const startMs = performance.now()
  const before = process.cpuUsage()
  const heaps = []
  let paused = 0
  let next = 0
  const run = manager.run({ plan })
  let step = await run.next()
  for (; !step.done; step = await run.next()) {
    const { counts } = step.value
    if (counts.records < next) continue
    const gcMs = performance.now()
    heaps.push(await heapMiB())
    paused += performance.now() - gcMs
    next += count / 10
  }
  const tookMs = performance.now() - startMs - paused
  const { user, system } = process.cpuUsage(before)
  const { phase, counts } = step.value
  assert.deepEqual([phase, counts.done, counts.records], ['finished', count, count])
  assert.equal(counts.kmsCalls, plan.kmsCalls, 'the plan has other calls than the run')
  const left = (await manager.census()).counts
  assert.deepEqual([left.current, left.stale], [count, 0])
  return { plan, counts, tookMs, heaps, cpuMs: (user + system) / 1_000 }
}

/** A KMS of which each call is timed. */
class TimedKms extends InterceptedKms {
  constructor(kms, timed) {
    super(kms)
    this.timed = timed
  }

  around({ options }, next) {
    return this.timed(() => next(options))
  }
}

/** Returns the milliseconds of each record that are neither the KMS's nor the table's, one call at a time. */
async function overhead(pool, kms) {
  const spent = { kms: 0, source: 0 }
  const timed = async (part, work) => {
    const start = performance.now()
    const result = await work()
    spent[part] += performance.now() - start
    return result
  }
  const inner = sourceOf(pool)
  /** @type {import('../../src/rotation/index.ts').ValueSource} */
  const source = {
    name: inner.name,
    kind: 'values',
    page: (...args) => timed('source', () => inner.page(...args)),
    read: (...args) => timed('source', () => inner.read(...args)),
    swap: (...args) => timed('source', () => inner.swap(...args)),
  }
  const rate = { requestsPerSecond: 1_000_000 }
  const timedKms = new TimedKms(kms, (work) => timed('kms', work))
  const options = { kms: timedKms, sources: [source], pageSize: 1_000, concurrency: 1, rate }
  const run = new KeyRotationManager(options).run()
  const startMs = performance.now()
  let step = await run.next()
  while (!step.done) step = await run.next()
  const allMs = performance.now() - startMs
  return { ownMs: (allMs - spent.kms - spent.source) / SAMPLE, allMs: allMs / SAMPLE }
}

async function measure(kind, pool, kmsAt) {
  const count = records(kind)
  await fill(pool, await kmsAt(1), count)
  const { plan, counts, tookMs, heaps, cpuMs } = await rotate(pool, await kmsAt(2), count)
  const growth = (heaps.at(-1) ?? 0) - (heaps[heaps.length >> 1] ?? 0)
  const perSecond = Math.round((count * 1_000) / tookMs)
  console.log(
    `${kind}: ${count} records, ${counts.kmsCalls} KMS calls, ${(tookMs / 1_000).toFixed(1)} s, ` +
      `${perSecond} records/s, real time ${(tookMs / plan.timeMs).toFixed(2)} of the plan's`,
  )
  // Of the local provider too, which computes in this process.
  console.log(`${kind}: ${(cpuMs / count).toFixed(3)} ms of this process's CPU for each record`)
  console.log(`${kind}: heap ${heaps.map((mib) => mib.toFixed(1)).join(' ')} MiB`)
  assert.ok(growth < MOST_GROWTH_MIB, `the heap grew by ${growth.toFixed(1)} MiB`)
  if (kind !== 'local') return
  await fill(pool, await kmsAt(2), SAMPLE)
  const { ownMs, allMs } = await overhead(pool, await kmsAt(3))
  console.log(
    `${kind}: ${allMs.toFixed(3)} ms a record one at a time, ${ownMs.toFixed(3)} of it ours`,
  )
}

const keys = Array.from({ length: 3 }, () => crypto.getRandomValues(new Uint8Array(32)))

function localAt(version) {
  const versions = keys.slice(0, version).map((key, at) => ({ version: at + 1, key }))
  return createLocalKms({ versions })
}

/** Makes a key of OpenBao and returns the KMS on it, whose key has been rotated up to a version. */
async function vaultOf({ endpoint, token }) {
  const auth = vaultToken(token)
  const name = `scale-${crypto.randomUUID()}`
  const url = `${endpoint}/v1/transit/keys/${name}`
  const post = async (path, body) => {
    const headers = { 'X-Vault-Token': token, 'content-type': 'application/json' }
    const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
    assert.ok(answer.ok, `${path}: ${answer.status}`)
  }
  await post(url, { type: 'aes256-gcm96' })
  let version = 1
  return async (wanted) => {
    for (; version < wanted; version += 1) await post(`${url}/rotate`, {})
    return createVaultTransitKms({ endpoint, key: name, auth, allowHttpLoopback: true })
  }
}

let [passed, failed] = [0, 0]
await withServers(['postgres'], async ({ postgres }) => {
  const pool = poolOf(postgres.port)
  for (const kind of kinds) {
    try {
      if (kind === 'local') await measure(kind, pool, localAt)
      else await withOpenBao(async (target) => measure(kind, pool, await vaultOf(target)))
      passed += 1
    } catch (error) {
      failed += 1
      console.log(`FAILED ${kind}:`, error)
    }
  }
  await pool.end()
})
console.log(`rotation: ${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
