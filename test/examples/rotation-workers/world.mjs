/** The Worker as it would be uploaded, in miniflare, over stores that survive a crash of workerd. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Miniflare } from 'miniflare'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { scratchFolder } from '../../../tools/lib/pack.mjs'
import { context, idOf, NEW_ENV, oldCipher, textOf } from '../rotation/keys.mjs'
import { workerOptions } from '../workers/project.mjs'

/** @typedef {Awaited<ReturnType<typeof openWorld>>} World */

/** The commands of an operator with `wrangler workflows`, and a way to the Durable Object. */
const OPERATOR = `export default {
  async fetch(request, env) {
    const [, id, operation] = new URL(request.url).pathname.split('/')
    if (id === 'object') {
      const stub = env.DATA_KEYS.get(env.DATA_KEYS.idFromName('edge-kms'))
      const ask = async (body) =>
        (await stub.fetch('https://object/', { method: 'POST', body: JSON.stringify(body) })).json()
      return Response.json(await Promise.all((await request.json()).map(ask)))
    }
    const instance = await env.ROTATION.get(id)
    if (operation !== 'status') await instance[operation]()
    return Response.json(await instance.status())
  },
}`
const utf8 = (/** @type {string} */ text) => new TextEncoder().encode(text)
const hex = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString('hex')
const base64 = (/** @type {Uint8Array} */ bytes) => Buffer.from(bytes).toString('base64')
const BATCH = 1_000

/** Children of this process that are a workerd. */
function workerds() {
  const { pid } = process
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' '),
  )
  return children
    .filter((child) => /^\d+$/.test(child))
    .filter((child) => readFileSync(`/proc/${child}/comm`, 'utf8').startsWith('workerd'))
    .map(Number)
}

/**
 * @param {{ folder: string, bin: string }} project
 * @param {string} out the folder of the bundle, in the project
 * @param {Record<string, string>} settings
 */
export async function openWorld(project, out, settings) {
  const lines = Object.entries(NEW_ENV).map(([name, value]) => `${name}=${value}\n`)
  writeFileSync(join(project.folder, '.dev.vars'), lines.join(''))
  const options = (await workerOptions(project))('.')
  const contents = readFileSync(join(project.folder, out, 'index.js'), 'utf8')
  const rotation = {
    ...options,
    name: 'rotation',
    modules: [{ type: 'ESModule', path: 'index.js', contents }],
    bindings: { ...options.bindings, ...settings },
  }
  const operator = {
    ...{ name: 'operator', modules: true, compatibilityDate: '2026-07-30', script: OPERATOR },
    workflows: { ROTATION: { ...options.workflows.ROTATION, scriptName: 'rotation' } },
    durableObjects: { DATA_KEYS: { ...options.durableObjects.DATA_KEYS, scriptName: 'rotation' } },
  }
  const state = scratchFolder('rotation-workers')
  const persist = {
    d1Persist: join(state, 'd1'),
    durableObjectsPersist: join(state, 'objects'),
    workflowsPersist: join(state, 'workflows'),
  }
  /** @type {Miniflare} */
  let miniflare
  /** Another workerd over the same stores. */
  const start = async () => {
    const workers = /** @type {any} */ ([operator, rotation])
    miniflare = new Miniflare({ cf: false, ...persist, workers })
    await miniflare.ready
  }
  await start()
  const database = async () => miniflare.getD1Database('DB', 'rotation')
  /**
   * Sends requests to the Durable Object, as its clients do.
   *
   * @param {readonly object[]} requests
   * @returns {Promise<any[]>}
   */
  const ask = async (requests) => {
    const init = { method: 'POST', body: JSON.stringify(requests) }
    const answer = await miniflare.dispatchFetch('http://operator/object', init)
    return /** @type {any} */ (await answer.json())
  }
  const migration = readFileSync(join(project.folder, 'migrations/0001_notes.sql'), 'utf8')
  await (await database()).prepare(migration.replace(/^--.*$/gm, '')).run()

  return {
    /** Seeds notes: body inline and title by reference, each under a data key of its own. @param {number} count */
    async seed(count) {
      const db = await database()
      const records = new MemoryDataKeyStore()
      const cipher = oldCipher({ dataKeyStore: records })
      for (let from = 0; from < count; from += BATCH) {
        const ats = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => from + i)
        const seal = (/** @type {'inline' | 'reference'} */ form) =>
          Promise.all(ats.map((at) => cipher.encrypt(utf8(textOf(at)), { context, form })))
        const [titles, bodies] = [await seal('reference'), await seal('inline')]
        const rows = ats.map((at, i) => [
          idOf(at),
          hex(titles[i] ?? new Uint8Array()),
          hex(bodies[i] ?? new Uint8Array()),
        ])
        const insert = `INSERT INTO notes SELECT value ->> 0, unhex(value ->> 1), unhex(value ->> 2)
          FROM json_each(?)`
        await db.prepare(insert).bind(JSON.stringify(rows)).run()
      }
      for (let cursor; ;) {
        const page = await records.list(cursor, BATCH)
        const found = await Promise.all(page.keys.map((key) => records.get(key)))
        const puts = page.keys.map((key, at) => {
          return { op: 'record-put', key, value: base64(found[at] ?? new Uint8Array()) }
        })
        for (const { done } of await ask(puts))
          if (!done) throw new Error('a record is there already')
        if (page.cursor === undefined) break
        cursor = page.cursor
      }
    },
    /** Returns the notes. @returns {Promise<{ id: string, title: Uint8Array, body: Uint8Array }[]>} */
    async notes() {
      const sql = 'SELECT * FROM notes WHERE id > ? ORDER BY id LIMIT 5000'
      const db = await database()
      const notes = []
      for (let last = ''; ; last = notes.at(-1)?.id ?? '') {
        const { results } = await db.prepare(sql).bind(last).all()
        for (const { id, title, body } of /** @type {any[]} */ (results))
          notes.push({ id: String(id), title: Uint8Array.from(title), body: Uint8Array.from(body) })
        if (results.length === 0) return notes
      }
    },
    /** Returns the data-key records, in a store of this process. */
    async records() {
      const copy = new MemoryDataKeyStore()
      for (let cursor = '', keys = ['']; keys.length > 0; cursor = keys.at(-1) ?? '') {
        ;[{ keys }] = await ask([{ op: 'record-list', cursor, limit: BATCH }])
        const answers = await ask(keys.map((key) => ({ op: 'record-get', key })))
        for (const [at, { value }] of answers.entries())
          await copy.putIfAbsent(keys[at] ?? '', new Uint8Array(Buffer.from(value, 'base64')))
      }
      return copy
    },
    /** Fires the cron trigger as the platform does. @param {number} atMs */
    async cron(atMs) {
      const worker = /** @type {any} */ (await miniflare.getWorker('rotation'))
      await worker.scheduled({ cron: '0 3 * * SUN', scheduledTime: new Date(atMs) })
    },
    /** Delivers messages of the queue. @param {object[]} bodies */
    async deliver(...bodies) {
      const worker = /** @type {any} */ (await miniflare.getWorker('rotation'))
      const messages = bodies.map((body, at) => {
        return { id: String(at), timestamp: new Date(), attempts: 1, body }
      })
      return worker.queue('rotation-sources', messages)
    },
    /**
     * @param {string} id of an instance
     * @param {'status' | 'pause' | 'resume'} operation
     * @returns {Promise<{ status: string, output?: any, error?: any }>}
     */
    async operate(id, operation = 'status') {
      const answer = await miniflare.dispatchFetch(`http://operator/${id}/${operation}`)
      if (answer.status !== 200) throw new Error(await answer.text())
      return /** @type {any} */ (await answer.json())
    },
    /** Kills workerd as a crash does, and starts another. */
    async crash() {
      const pids = workerds()
      for (const pid of pids) process.kill(pid, 'SIGKILL')
      await sleep(100)
      await miniflare.dispose().catch(() => {})
      await start()
      return pids.length
    },
    close: () => miniflare.dispose(),
  }
}
