/** AWS's part of the lane: the scenarios against each server, then the provider's own tests. */
import { loadSdk } from './clients.mjs'
import {
  countRows,
  judge,
  observeAll,
  orphans,
  printDifferences,
  readExpected,
} from './compare.mjs'
import { fakeDefects, withFake } from './fake.mjs'
import { setUpKeys } from './set-up.mjs'
import { names, withTarget } from './targets.mjs'
import { createWorld } from './world.mjs'

/**
 * What a provider's tests get: the target, and keys made for them alone.
 *
 * @typedef {import('./world.mjs').AwsTarget & import('./world.mjs').Credentials &
 *   Awaited<ReturnType<typeof setUpKeys>>} ProviderTarget
 *
 * @typedef {object} Tools
 * @property {(name: string, work: () => unknown) => Promise<void>} check never rejects
 * @property {(name: string, reason: string) => void} skip
 * @property {import('./world.mjs').World} world AWS's own client, aimed at the target
 */

async function runProvider(file, sdk, target, report) {
  const world = createWorld(sdk, target)
  const label = (name) => `aws/${target.name} ${file.name} ${name}`
  try {
    const { run } = await import(file.url)
    const tools = {
      check: (name, work) => report.check(label(name), work),
      skip: (name, reason) => report.skip(label(name), reason),
      world,
    }
    await run({ ...target, ...target.credentials, ...(await setUpKeys(world)) }, tools)
    await report.settled()
  } catch (error) {
    report.fail(label('outside its checks'), error?.stack ?? String(error))
  } finally {
    world.close()
  }
}

/** A comparison that would pass a wrong fake proves nothing: each seeded fault must show. */
async function seeEveryDefect(sdk, expected, report) {
  for (const defect of await fakeDefects()) {
    await report.check(`aws/fake with the fault ${defect}`, async () => {
      let wrong = []
      const see = async (target) => {
        const rows = judge('fake', await observeAll(sdk, target), expected)
        wrong = rows.filter(({ verdict }) => verdict === 'wrong').map(({ name }) => name)
      }
      await withFake(sdk, see, [defect])
      if (wrong.length === 0) throw new Error('no scenario saw it')
      console.log(`fault ${defect.padEnd(28)} seen by ${wrong.length}: ${wrong.join(', ')}`)
    })
  }
}

/**
 * @param {{ report: ReturnType<typeof import('../lib/report.mjs').createReport>,
 *   providers: readonly { name: string, url: string }[], only?: readonly string[] }} options
 */
export async function runLane({ report, providers, only = names }) {
  const sdk = loadSdk()
  const expected = readExpected()
  for (const name of orphans(expected)) report.fail(`aws ${name}`, 'no scenario of this name')
  const byServer = {}
  for (const name of only) {
    try {
      const reason = await withTarget(name, sdk, async (target) => {
        byServer[name] = judge(name, await observeAll(sdk, target), expected)
        countRows(name, byServer[name], report)
        for (const file of providers) await runProvider(file, sdk, target, report)
      })
      if (reason !== undefined) report.skip(`aws/${name}`, reason)
    } catch (error) {
      report.fail(`aws/${name}`, error?.stack ?? String(error))
    }
  }
  printDifferences(byServer, expected)
  if (only.includes('fake')) await seeEveryDefect(sdk, expected, report)
}
