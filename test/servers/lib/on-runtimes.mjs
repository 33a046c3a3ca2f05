/** A provider's suite on every runtime against a server that is up: the packed package, as a user has it. */
import { installInto, scratchFolder } from '../../../tools/lib/pack.mjs'
import { node24, run } from '../../../tools/lib/folders.mjs'
import { MissingError } from '../../../tools/servers/missing.mjs'
import { buildProgram } from '../../platforms/build.mjs'
import { hosts, installHosts } from '../../platforms/hosts.mjs'
import { inLanes } from '../../platforms/lanes.mjs'

/** @type {Promise<string> | undefined} */
let program

/** Builds and packs the package once for all vendors; a parent process may have done it. */
export function programFolder() {
  const made = process.env['EDGE_KMS_PROGRAM']
  if (made !== undefined) return Promise.resolve(made)
  program ??= (async () => {
    if (run(node24, ['tools/build.mjs']) !== 0) throw new Error('the build failed')
    const scratch = scratchFolder('platforms')
    installInto(scratch)
    return buildProgram(scratch)
  })()
  return program
}

/**
 * @param {{ vendor: string, target: any, newKeys: () => Promise<object>,
 *   report: ReturnType<typeof import('./report.mjs').createReport> }} options
 *   `newKeys` makes keys for one runtime alone: a case rotates them
 * @param {readonly string[]} [names] of the runtimes
 */
export async function checkOnRuntimes(
  { vendor, target, newKeys, report },
  names = Object.keys(hosts),
) {
  installHosts(names)
  const folder = await programFolder()
  const begun = Date.now()
  const net = target.endpoint === undefined ? undefined : new URL(target.endpoint).host
  await inLanes(names, async (name) => {
    const label = `${vendor}/${target.name} on ${name}`
    try {
      const request = { ask: 'provider', vendor, target: { ...target, ...(await newKeys()) } }
      const table = await hosts[name]?.ask(folder, request, net)
      if (table.length === 0) report.fail(label, 'no case was run')
      for (const { name: one, state, text } of table) {
        if (state === 'passed') report.pass(`${label}: ${one}`)
        else if (state === 'failed') report.fail(`${label}: ${one}`, text)
        else report.skip(`${label}: ${one}`, text)
      }
    } catch (error) {
      if (error instanceof MissingError && process.env['CI'] !== 'true')
        report.skip(label, error.message)
      else report.fail(label, error?.stack ?? String(error))
    }
  })
  const seconds = ((Date.now() - begun) / 1_000).toFixed(0)
  console.log(`${vendor}/${target.name} on ${names.length} runtimes: ${seconds} s`)
}
