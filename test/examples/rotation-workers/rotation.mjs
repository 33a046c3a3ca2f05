/** Rotations that are paused, crash, and run twice at once: everything is current in the end, and opens. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { EnvelopeCipher } from '../../../src/index.ts'
import { context, idOf, newKms, textOf, versionsOf } from '../rotation/keys.mjs'

const NOTES = 200
const AT_MS = 1_796_000_000_000
const PATIENCE_MS = 60_000
const SOURCES = ['data-keys', 'notes']

/** @typedef {import('./world.mjs').World} World */

/**
 * Asks until the status of an instance is one of these.
 *
 * @param {World} world
 * @param {string} id
 * @param {(status: string) => boolean} is
 * @param {number} [patienceMs]
 * @returns {Promise<{ status: string, output?: any, error?: any }>}
 */
async function until(world, id, is, patienceMs = PATIENCE_MS) {
  const end = Date.now() + patienceMs
  for (;;) {
    const found = await world.operate(id).catch(() => ({ status: 'unknown' }))
    if (is(found.status)) return found
    if (Date.now() > end) throw new Error(`${id} did not get there: ${JSON.stringify(found)}`)
    await sleep(50)
  }
}

/**
 * Waits for the parts of a rotation, one after the other, and returns its last state.
 *
 * @param {World} world
 * @param {string} job
 */
export async function finished(world, job, patienceMs = PATIENCE_MS) {
  for (let part = 1; ; part++) {
    const { status, output, error } = await until(world, `${job}-${part}`, isOver, patienceMs)
    assert.equal(status, 'complete', `${job}-${part}: ${JSON.stringify(error)}`)
    if (output !== `${job}-${part + 1}`) return { part, state: JSON.parse(output) }
  }
}
const isOver = (/** @type {string} */ status) => ['complete', 'errored'].includes(status)

/** Every value is under the new key alone, and opens. @param {World} world  @param {number} count */
export async function demandCurrent(world, count) {
  const notes = await world.notes()
  assert.deepEqual(versionsOf(notes.map(({ body }) => body)), { 2: count })
  const dataKeyStore = await world.records()
  const { keys } = await dataKeyStore.list(undefined, 1_000)
  const records = await Promise.all(keys.map((key) => dataKeyStore.get(key)))
  assert.deepEqual(versionsOf(records.map((one) => one ?? new Uint8Array())), {
    2: Math.min(count, 1_000),
  })
  const cipher = new EnvelopeCipher({ kms: newKms(), dataKeyStore })
  const text = async (/** @type {Uint8Array} */ value) =>
    new TextDecoder().decode(await cipher.decrypt(value, { context }))
  for (const [at, { id, title, body }] of notes.entries()) {
    assert.equal(id, idOf(at))
    if (at % Math.ceil(count / 200) > 0) continue
    assert.deepEqual([await text(title), await text(body)], [textOf(at), textOf(at)])
  }
}

/** @param {import('../workers/world.mjs').Report} report  @param {World} world */
export async function checkRotation({ check }, world) {
  await world.seed(NOTES)
  const job = `notes-${AT_MS}`

  await check('Workflows: the cron trigger starts one Workflow for each source', async () => {
    await world.cron(AT_MS)
    for (const source of SOURCES)
      await until(world, `${source}-${AT_MS}-1`, (status) => status !== 'unknown')
  })

  await check('Workflows: a pause holds a rotation, and resume goes on', async () => {
    await world.operate(`${job}-1`, 'pause')
    const { status } = await until(world, `${job}-1`, (now) => now === 'paused' || isOver(now))
    assert.equal(status, 'paused')
    const before = versionsOf((await world.notes()).map(({ body }) => body))
    await sleep(300)
    assert.deepEqual(versionsOf((await world.notes()).map(({ body }) => body)), before)
    assert.ok((before['1'] ?? 0) > 0, 'nothing was left to pause')
    await world.operate(`${job}-1`, 'resume')
  })

  await check('Workflows: a second rotation of a source runs beside the first', async () => {
    const again = { source: 'notes', atMs: AT_MS + 1 }
    // Delivered twice, and beside a message of a source that is not there.
    const {
      ackAll: _all,
      explicitAcks,
      retryMessages,
    } = await world.deliver(again, again, {
      source: 'no source',
      atMs: 1,
    })
    assert.deepEqual(explicitAcks, ['0', '1'])
    assert.deepEqual(
      retryMessages.map((/** @type {any} */ one) => one.msgId),
      ['2'],
    )
  })

  await check(
    'Workflows: workerd is killed in the middle, and pause and resume go on',
    async () => {
      const crashed = await world.crash()
      assert.equal(crashed, 1)
      let resumed = 0
      for (const name of [job, `notes-${AT_MS + 1}`, `data-keys-${AT_MS}`])
        for (let part = 1; ; part++) {
          const found = await world.operate(`${name}-${part}`).catch(() => undefined)
          if (found === undefined) break
          if (isOver(found.status)) continue
          await world.operate(`${name}-${part}`, 'pause')
          await until(world, `${name}-${part}`, (now) => now === 'paused' || isOver(now))
          await world.operate(`${name}-${part}`, 'resume')
          resumed++
        }
      assert.ok(resumed > 0, 'the crash came too late')
    },
  )

  await check(
    'Workflows: everything is current, and each rotation went through parts',
    async () => {
      const first = await finished(world, job)
      const second = await finished(world, `notes-${AT_MS + 1}`)
      const keys = await finished(world, `data-keys-${AT_MS}`)
      assert.deepEqual(
        [first, second, keys].map(({ state }) => state.phase),
        ['finished', 'finished', 'finished'],
      )
      assert.ok(first.part > 2 && keys.part > 2, `${first.part} and ${keys.part} parts`)
      const done = first.state.counts.done + second.state.counts.done
      console.log(
        `Workflows: ${done} values rewrapped by two rotations, ${first.part} and ${second.part} parts`,
      )
      assert.ok(done >= NOTES)
      await demandCurrent(world, NOTES)
    },
  )
}
