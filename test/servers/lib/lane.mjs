/** A vendor's part of the lane: its scenarios against each server, then its provider's own tests. */
import {
  countRows,
  judge,
  observeAll,
  orphans,
  printDifferences,
  readExpected,
} from './compare.mjs'
import { checkOnRuntimes } from './on-runtimes.mjs'

/**
 * @typedef {object} Vendor
 * @property {string} vendor the folder's name
 * @property {string} judge whose documents say what is right
 * @property {URL} expected the file that says it
 * @property {readonly { name: string, run: (world: any) => Promise<unknown> }[]} scenarios
 * @property {(error: any) => object} refusal an error of the service as an observation; throws others
 * @property {(target: any) => any} createWorld the vendor's client, aimed at a target
 * @property {readonly string[]} names of the servers, in the order in which they are run
 * @property {(name: string, work: (target: any) => Promise<void>) => Promise<string | undefined>} withTarget
 *   answers with the reason where this machine lacks the server
 * @property {(world: any) => Promise<object>} setUp what a provider's tests get beside the target
 * @property {{ plain: (target: any) => object, newKeys: (world: any) => Promise<object> }} [onRuntimes] what the
 *   suite of test/platforms gets: the target as JSON, and keys for one runtime
 * @property {() => Promise<readonly string[]>} defects the faults that the fake can be told to have
 * @property {(defect: string, work: (target: any) => Promise<void>) => Promise<unknown>} withDefect
 *
 * @typedef {object} LaneOptions
 * @property {ReturnType<typeof import('./report.mjs').createReport>} report
 * @property {readonly { name: string, url: string }[]} providers
 * @property {readonly string[]} [only]
 */

async function runProvider({ vendor, createWorld, setUp }, file, target, report) {
  const world = createWorld(target)
  const label = (name) => `${vendor}/${target.name} ${file.name} ${name}`
  try {
    const { run } = await import(file.url)
    const tools = {
      check: (name, work) => report.check(label(name), work),
      skip: (name, reason) => report.skip(label(name), reason),
      world,
    }
    await run({ ...target, ...(await setUp(world)) }, tools)
    await report.settled()
  } catch (error) {
    report.fail(label('outside its checks'), error?.stack ?? String(error))
  } finally {
    world.close()
  }
}

/**
 * The fake is run on every runtime by test/runtime already.
 *
 * @param {Vendor} vendor
 * @param {any} target
 * @param {LaneOptions['report']} report
 */
async function runEverywhere({ vendor, createWorld, onRuntimes }, target, report) {
  if (onRuntimes === undefined || target.name === 'fake') return
  const world = createWorld(target)
  const newKeys = () => onRuntimes.newKeys(world)
  try {
    await checkOnRuntimes({ vendor, target: onRuntimes.plain(target), newKeys, report })
  } finally {
    world.close()
  }
}

/** A comparison that would pass a wrong fake proves nothing: each seeded fault must show. */
async function seeEveryDefect(vendor, expected, report) {
  for (const defect of await vendor.defects()) {
    await report.check(`${vendor.vendor}/fake with the fault ${defect}`, async () => {
      let wrong = []
      await vendor.withDefect(defect, async (target) => {
        const rows = judge('fake', await observeAll(vendor, vendor.createWorld(target)), expected)
        wrong = rows.filter(({ verdict }) => verdict === 'wrong').map(({ name }) => name)
      })
      if (wrong.length === 0) throw new Error('no scenario saw it')
      console.log(`fault ${defect.padEnd(28)} seen by ${wrong.length}: ${wrong.join(', ')}`)
    })
  }
}

/**
 * @param {Vendor} vendor
 * @param {LaneOptions} options
 */
export async function runVendor(vendor, { report, providers, only = vendor.names }) {
  const expected = readExpected(vendor.expected)
  for (const name of orphans(expected, vendor.scenarios))
    report.fail(`${vendor.vendor} ${name}`, 'no scenario of this name')
  const byServer = {}
  for (const name of only) {
    const label = `${vendor.vendor}/${name}`
    try {
      const reason = await vendor.withTarget(name, async (target) => {
        byServer[name] = judge(name, await observeAll(vendor, vendor.createWorld(target)), expected)
        countRows(vendor, name, byServer[name], report)
        for (const file of providers) await runProvider(vendor, file, target, report)
        await runEverywhere(vendor, target, report)
      })
      if (reason !== undefined) report.skip(label, reason)
    } catch (error) {
      report.fail(label, error?.stack ?? String(error))
    }
  }
  printDifferences(vendor, byServer, expected)
  if (only.includes('fake')) await seeEveryDefect(vendor, expected, report)
}
