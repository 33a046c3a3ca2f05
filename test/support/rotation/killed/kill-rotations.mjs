/** Rotations whose processes are killed at random points, while a writer writes. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { EncryptedEnvelope, EnvelopeCipher } from '../../../../src/index.ts'
import { kmsAt, openPlace } from './places.mjs'

/** Not part of the one file: it finds its driver from where it is. */
const clients = new URL('../../../servers/postgres/clients.mjs', import.meta.url).href
const child = fileURLToPath(new URL('rotator.child.mjs', import.meta.url))
const ROWS = 150
/** Processes that are ready before one is needed: a start takes longer than what is to be interrupted. */
const WARM = 3
/** Kills of one job during which the writer still uses the old version. */
const OLD_KILLS = 2
const REQUIRED = { requiredContextKeys: ['tenant'] }

/** Processes that wait for their turn. */
class Processes {
  #warm = []
  #args
  #folder = mkdtempSync(join(tmpdir(), 'edge-kms-killed-'))
  #program = join(this.#folder, 'rotator.mjs')

  constructor(args) {
    this.#args = args
  }

  /** Makes one file of the program: a start is then short. */
  async build() {
    await build({
      entryPoints: [child],
      outfile: this.#program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
    })
  }

  async next() {
    while (this.#warm.length < WARM) this.#warm.push(this.#start())
    const started = await this.#warm.shift()
    this.#warm.push(this.#start())
    return started
  }

  async close() {
    for (const one of await Promise.all(this.#warm)) one.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #start() {
    const one = spawn(process.execPath, [this.#program, ...this.#args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    one.stdin.on('error', () => undefined)
    await once(one.stdout, 'data')
    return one
  }
}

/** One table and what is true of it. */
class Kept {
  version = 1
  /** The version that the writer uses. */
  writes = 1
  truth = new Map()
  #place
  #nextId = 1

  constructor(place) {
    this.#place = place
  }

  async fill() {
    await this.#place.create()
    while (this.truth.size < ROWS) await this.insert()
  }

  async insert() {
    const id = this.#nextId++
    const tenant = `t${id % 5}`
    const text = `row ${id}`
    await this.#place.insert(id, tenant, await this.#encrypt(text, tenant))
    this.truth.set(id, { tenant, text })
  }

  /** Inserts, replaces or deletes a row. */
  async write() {
    const ids = [...this.truth.keys()]
    const id = ids[Math.floor(Math.random() * ids.length)]
    const what = Math.random()
    if (what < 0.3) await this.insert()
    else if (what < 0.5 && ids.length > ROWS) {
      await this.#place.remove(id)
      this.truth.delete(id)
    } else {
      const { tenant } = this.truth.get(id)
      const text = `row ${id}, ${Math.random()}`
      await this.#place.update(id, await this.#encrypt(text, tenant))
      this.truth.set(id, { tenant, text })
    }
  }

  /** Nothing is lost, nothing is back that was deleted, and everything opens. Returns how many rows are stale. */
  async check() {
    const rows = await this.#place.rows()
    assert.deepEqual(rows.map(({ id }) => id).sort(), [...this.truth.keys()].sort())
    const cipher = new EnvelopeCipher({ kms: kmsAt(this.version), ...REQUIRED })
    let stale = 0
    for (const { id, tenant, secret } of rows) {
      const bytes = new Uint8Array(secret)
      const text = new TextDecoder().decode(await cipher.decrypt(bytes, { context: { tenant } }))
      assert.equal(text, this.truth.get(id).text)
      const { wraps } = EncryptedEnvelope.parse(bytes)
      stale += wraps.every(({ kekVersion }) => kekVersion === String(this.version)) ? 0 : 1
    }
    return stale
  }

  #encrypt(text, tenant) {
    const cipher = new EnvelopeCipher({ kms: kmsAt(this.writes), cache: false, ...REQUIRED })
    return cipher.encrypt(new TextEncoder().encode(text), { context: { tenant } })
  }
}

/**
 * Kills processes that rotate, each at a random point, until so many were killed before they had finished.
 *
 * @param {string} kind - `sqlite` or `postgres`
 * @param {string} where - the file, or the port
 * @param {number} kills
 */
export async function killRotations(kind, where, kills) {
  const place = await openPlace(kind, where, clients)
  const kept = new Kept(place)
  await kept.fill()
  const processes = new Processes([kind, where, clients])
  await processes.build()
  const counts = { kills: 0, jobs: 0 }
  try {
    kept.version = kept.writes = 2
    const { end, tookMs } = await runFor(processes, kept, Infinity)
    assert.equal(end, 0)
    while (counts.kills < kills) {
      kept.version += 1
      counts.jobs += 1
      counts.kills += await killedJob(processes, kept, tookMs, kills - counts.kills)
      await finish(processes, kept)
    }
  } finally {
    await processes.close()
    await place.close()
  }
  return counts
}

/** Kills the processes of one job until it has finished, and returns how many they were. */
async function killedJob(processes, kept, wholeMs, most) {
  let kills = 0
  let longestMs = wholeMs
  while (kills < most) {
    if (kills === OLD_KILLS) kept.writes = kept.version
    const { end } = await runFor(processes, kept, Math.random() * longestMs)
    // The rest of the job is shorter.
    longestMs = Math.max(wholeMs / 4, longestMs / 1.5)
    await kept.check()
    if (end === 0) break
    assert.equal(end, 'SIGKILL')
    kills += 1
  }
  kept.writes = kept.version
  return kills
}

/** Runs one process for so long, while the writer writes. Returns how it ended, and how long it took. */
async function runFor(processes, kept, ms) {
  const one = await processes.next()
  const exited = once(one, 'exit')
  const startMs = performance.now()
  one.stdin.write(`${kept.version}\n`)
  const timer = ms === Infinity ? undefined : setTimeout(() => one.kill('SIGKILL'), ms)
  await kept.write()
  const [code, signal] = await exited
  clearTimeout(timer)
  return { end: signal ?? code, tookMs: performance.now() - startMs }
}

/** Lets the job end: once the writer knows the new version, at most one more job leaves nothing stale. */
async function finish(processes, kept) {
  for (let left = 2; (await kept.check()) > 0; left -= 1) {
    assert.ok(left > 0, 'values are still stale')
    const { end } = await runFor(processes, kept, Infinity)
    assert.equal(end, 0)
  }
}
