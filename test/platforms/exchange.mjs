/**
 * Data written on one platform is read on all others: each runtime writes, then each opens and rewraps what every
 * other wrote, then each opens what every other rewrapped. The KEKs are a local one and one of our fake of AWS.
 */
import { randomBytes } from 'node:crypto'
import { openFront } from '../../tools/servers/front.mjs'
import { MissingError } from '../../tools/servers/missing.mjs'
import { hosts, installHosts } from './hosts.mjs'
import { inLanes } from './lanes.mjs'

/** @typedef {{ name: string, state: 'passed' | 'failed' | 'skipped', text: string }} Row */

/** @param {string} url @param {{ region: string, credentials: any, createKey: () => { arn: string } }} fake */
const keksOf = (url, { region, credentials, createKey }) => ({
  local: [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')],
  aws: { endpoint: url, region, credentials, keyId: createKey().arn },
})

/** Asks every runtime; those that this machine lacks are left out, with the reason. */
async function askAll(names, requestFor, ask, rows) {
  const answers = new Map()
  await inLanes(names, async (name) => {
    try {
      answers.set(name, await ask(name, requestFor(name)))
    } catch (error) {
      const isMissing = error instanceof MissingError && process.env['CI'] !== 'true'
      const text = isMissing ? error.message : String(error.stack)
      rows.push({ name: `${name}: the program`, state: isMissing ? 'skipped' : 'failed', text })
    }
  })
  return new Map(names.flatMap((name) => (answers.has(name) ? [[name, answers.get(name)]] : [])))
}

/** One round: every reader gets what all others wrote. Gives what each reader rewrapped, by its writer. */
async function round(writtenBy, title, { ask, keks, rows }) {
  const writers = [...writtenBy.keys()]
  const othersOf = (reader) => writers.filter((writer) => writer !== reader)
  const requestFor = (reader) => {
    const written = othersOf(reader).map((writer) => writtenBy.get(writer))
    return { ask: 'read', keks, written }
  }
  const answers = await askAll(writers, requestFor, ask, rows)
  for (const [reader, read] of answers)
    for (const [at, writer] of othersOf(reader).entries())
      for (const { name, state, text } of read[at].rows)
        rows.push({ name: `${writer} → ${reader} ${title} ${name}`, state, text })
  return answers
}

/**
 * @param {string} folder of `buildProgram`
 * @param {readonly string[]} [names] of the runtimes
 * @returns {Promise<Row[]>}
 */
export async function exchange(folder, names = Object.keys(hosts)) {
  installHosts(names)
  const { createFakeAws } = await import('../../adapters/fakes/index.ts')
  const fake = createFakeAws()
  const front = await openFront((request) => fake.fetch(request))
  try {
    const keks = keksOf(front.url, fake)
    const net = new URL(front.url).host
    const ask = (name, request) => hosts[name].ask(folder, request, net)
    /** @type {Row[]} */
    const rows = []
    const state = { ask, keks, rows }
    const written = await askAll(names, () => ({ ask: 'write', keks }), ask, rows)
    const read = await round(written, 'reads', state)
    // The messages that a runtime rewrapped for its neighbour go around once more.
    const rewrapped = new Map([...read].map(([reader, [first]]) => [reader, first.rewrapped]))
    await round(rewrapped, 'reads rewrapped', state)
    return rows
  } finally {
    await front.close()
  }
}
