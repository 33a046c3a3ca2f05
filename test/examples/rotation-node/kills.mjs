/** Workers that are stopped, killed, and started again: what is stored is current in the end, and opens. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { EnvelopeCipher } from '../../../src/index.ts'
import { context, idOf, newKms, textOf, versionsOf } from '../rotation/keys.mjs'

export const ROWS = 400
export const RECORDS = 200
const KILLS = 5
const PATIENCE_MS = 60_000
const SOURCES = ['customers', 'data-keys']

/** @typedef {import('./world.mjs').World} World */

/** Jobs that may still do something. @param {Record<string, number>} jobs */
export const open = ({ created = 0, retry = 0, active = 0 }) => created + retry + active

/** Waits until no job is open, and looks at the queue meanwhile. @param {World} world  @param {() => unknown} [look] */
export async function settled(world, look = () => {}) {
  const end = Date.now() + PATIENCE_MS
  while (open(await world.jobs()) > 0) {
    if (Date.now() > end) throw new Error(`jobs are left: ${JSON.stringify(await world.jobs())}`)
    await look()
    await sleep(100)
  }
}

/** Every value is under the new key alone, and every row opens to what was written. @param {World} world */
async function demandCurrent(world) {
  const values = await world.stored()
  assert.deepEqual(versionsOf(values), { 2: 2 * ROWS + RECORDS })
  const cipher = new EnvelopeCipher({ kms: newKms() })
  const rows = await world.query('SELECT id, email, iban FROM customers ORDER BY id')
  for (const [at, { id, email, iban }] of rows.entries()) {
    assert.equal(id, idOf(at))
    for (const value of [email, iban]) {
      const text = new TextDecoder().decode(
        await cipher.decrypt(new Uint8Array(value), { context }),
      )
      assert.equal(text, textOf(at))
    }
  }
}

/** @param {import('../node/check.mjs').Report} report  @param {World} world */
export async function checkKills({ check }, world) {
  await world.seedRows(ROWS)
  await world.seedRecords(RECORDS)

  await check(
    'pg-boss: a second rotation of a source does not start beside the first',
    async () => {
      const said = [await world.run('src/rotate.ts'), await world.run('src/rotate.ts')]
      for (const name of SOURCES) {
        assert.match(said[0] ?? '', new RegExp(`${name}: started`))
        assert.match(said[1] ?? '', new RegExp(`${name}: is under way already`))
      }
      assert.deepEqual(await world.jobs(), { created: SOURCES.length })
    },
  )

  await check(
    'pg-boss: SIGTERM ends a worker after its step, and the queue keeps the state',
    async () => {
      const worker = await world.startWorker()
      while (((await world.jobs())['completed'] ?? 0) < 2) await sleep(20)
      assert.equal(await worker.end('SIGTERM'), 0, worker.output())
      const { completed = 0, ...others } = await world.jobs()
      assert.ok(completed >= 2)
      assert.equal(others['active'], undefined, 'a step was cut off')
      assert.equal(open(others), SOURCES.length)
    },
  )

  await check('pg-boss: workers killed at random leave everything current', async () => {
    let most = 0
    /** One chain of jobs for each source, whatever happens. */
    const look = async () => {
      most = Math.max(most, open(await world.jobs()))
    }
    const workers = [await world.startWorker(), await world.startWorker()]
    for (let kill = 0; kill < KILLS; kill++) {
      await sleep(50 + Math.random() * 400)
      await look()
      const [victim] = workers.splice(Math.floor(Math.random() * workers.length), 1)
      assert.equal(await victim?.end('SIGKILL'), 'SIGKILL')
      workers.push(await world.startWorker())
    }
    await settled(world, look)
    for (const worker of workers) assert.equal(await worker.end('SIGTERM'), 0, worker.output())
    const { completed = 0, failed = 0 } = await world.jobs()
    const [{ tries }] = await world.query(
      'SELECT sum(retry_count)::int AS tries FROM pgboss.job WHERE name = $1',
      ['rotation'],
    )
    console.log(`pg-boss: ${completed} steps, ${KILLS} kills, ${tries} delivered again`)
    assert.equal(failed, 0)
    assert.ok(most <= SOURCES.length, `${most} jobs were open at once`)
    await demandCurrent(world)
  })
}
