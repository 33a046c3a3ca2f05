/** Runs a vendor's scenarios against one target and holds what was seen against its expected.json. */
import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'

/**
 * @typedef {{ right: unknown, source: string,
 *   deviations?: Record<string, { observed: unknown, why: string }> }} Expectation
 */

/** @returns {Record<string, Expectation>} */
export const readExpected = (/** @type {URL} */ url) => JSON.parse(readFileSync(url, 'utf8'))

/** As JSON would keep it: absent members are absent. */
const plain = (value) => JSON.parse(JSON.stringify(value))

/**
 * Returns what a client observed of a target, by scenario.
 *
 * @param {{ readonly scenarios: readonly { name: string, run: (world: any) => Promise<unknown> }[],
 *   readonly refusal: (error: any) => object }} vendor
 * @param {{ close(): void }} world
 */
export async function observeAll({ scenarios, refusal }, world) {
  /** @type {Record<string, unknown>} */
  const seen = {}
  try {
    for (const { name, run } of scenarios) {
      try {
        seen[name] = plain(await run(world))
      } catch (error) {
        // A refusal outside `observe`: what the scenario only wanted as its set-up failed.
        seen[name] = { setUp: refusal(error) }
      }
    }
  } finally {
    world.close()
  }
  return seen
}

/**
 * One row per scenario: `right`, `known` (a listed deviation, seen as listed), `stale` (a listed
 * deviation that is gone), or `wrong`.
 *
 * @param {string} server
 * @param {Record<string, unknown>} seen
 * @param {Record<string, Expectation>} expected
 */
export function judge(server, seen, expected) {
  const rows = []
  for (const [name, observed] of Object.entries(seen)) {
    const expectation = expected[name]
    if (expectation === undefined) {
      rows.push({ name, verdict: 'wrong', observed, right: 'expected.json does not list it' })
      continue
    }
    const { right, deviations = {} } = expectation
    const listed = deviations[server]
    const isRight = isDeepStrictEqual(observed, right)
    const isListed = listed !== undefined && isDeepStrictEqual(observed, listed.observed)
    const verdict = isListed ? 'known' : !isRight ? 'wrong' : listed ? 'stale' : 'right'
    rows.push({ name, verdict, observed, right, why: listed?.why })
  }
  return rows
}

/** Expectations that no scenario makes any more. */
export const orphans = (expected, scenarios) => {
  const names = new Set(scenarios.map(({ name }) => name))
  return Object.keys(expected).filter((name) => !names.has(name))
}

const oneLine = (value) => JSON.stringify(value)

/** Counts each row of one target and prints what is not as it should be. */
export function countRows({ vendor, judge: whom }, server, rows, report) {
  for (const { name, verdict, observed, right, why } of rows) {
    const label = `${vendor}/${server} ${name}`
    if (observed?.notRun !== undefined && verdict === 'known')
      report.skip(label, `${observed.notRun}: ${why}`)
    else if (verdict === 'right' || verdict === 'known') report.pass(label)
    else if (verdict === 'stale')
      report.fail(label, 'is right now: take its deviation out of expected.json')
    else report.fail(label, `saw ${oneLine(observed)}, right is ${oneLine(right)}`)
  }
  const count = (verdict) => rows.filter((row) => row.verdict === verdict).length
  console.log(
    `${vendor}/${server}: ${rows.length} scenarios, ${count('right')} as ${whom} documents them, ` +
      `${count('known')} listed deviations, ${count('wrong') + count('stale')} others`,
  )
}

/** An observation for people: `state: Disabled, encrypt: DisabledException 400`. */
function brief(value) {
  if (value === null || typeof value !== 'object') return String(value)
  if ('error' in value) return `${value.error} ${value.status}`
  if ('notRun' in value) return 'not run'
  if ('setUp' in value) return `set-up: ${brief(value.setUp)}`
  if ('ok' in value) return brief(value.ok)
  const parts = Object.entries(value).map(([key, part]) => `${key}: ${brief(part)}`)
  return parts.join(', ')
}

const cut = (text, width) => (text.length > width ? `${text.slice(0, width - 1)}…` : text)

/**
 * Prints where servers differ from what is right, and why that is taken as right.
 *
 * @param {{ judge: string }} vendor
 * @param {Record<string, readonly { name: string, verdict: string, observed: any, right: any,
 *   why?: string }[]>} byServer
 * @param {Record<string, Expectation>} expected
 */
export function printDifferences({ judge: whom }, byServer, expected) {
  console.log(`\nwhere a server differs from ${whom} (right first, then who differs and why):`)
  for (const [name, { right, source }] of Object.entries(expected)) {
    const differing = Object.entries(byServer).flatMap(([server, rows]) => {
      const row = rows.find((candidate) => candidate.name === name)
      return row === undefined || row.verdict === 'right' ? [] : [{ server, ...row }]
    })
    if (differing.length === 0) continue
    console.log(`${name.padEnd(40)} ${cut(brief(right), 90)}  [${source}]`)
    for (const { server, observed, why } of differing)
      console.log(`  ${server.padEnd(12)} ${cut(brief(observed), 90)}: ${why ?? 'NOT LISTED'}`)
  }
  console.log('')
}
