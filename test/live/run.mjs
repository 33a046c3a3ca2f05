/**
 * `npm run test:live -- aws [gcp …] [--on node24,deno,…]`: a provider's suite against a real account that you name
 * by variables. docs/live-tests.md says what to create and what it costs. It removes what it made.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../tools/lib/folders.mjs'
import { checkOnRuntimes } from '../servers/lib/on-runtimes.mjs'
import { createReport } from '../servers/lib/report.mjs'
import { accounts } from './accounts/index.mjs'
import { masker, readRequest } from './request.mjs'

const GUIDE = 'docs/live-tests.md'
const mask = masker(process.env)
const print = (/** @type {unknown} */ text) => console.log(mask(String(text)))

/** The part of the guide about one account. @param {string} vendor */
function guideOf(vendor) {
  const parts = readFileSync(join(root, GUIDE), 'utf8').split(/^## /m)
  return parts.find((part) => part.startsWith(`\`${vendor}\``)) ?? ''
}

/** Removes everything; says what is left and how to remove it by hand. @param {import('./accounts/index.mjs').OpenAccount} account */
async function cleanUp(account) {
  let left = 0
  for (const { what, byHand, remove } of account.cleanUp()) {
    try {
      await remove()
      print(`removed ${what}`)
    } catch (error) {
      left++
      print(`LEFT ${what}: ${error.message}\n  remove it with: ${byHand}`)
    }
  }
  return left
}

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)))
/** @type {Promise<never>} */
const stopped = new Promise((_, reject) => {
  stop.signal.addEventListener('abort', () => reject(new Error(String(stop.signal.reason.message))))
})
stopped.catch(() => undefined)

/** Keys that are asked for when the user ends the run come to be a moment later: clean up after that. */
function guarded(make) {
  const pending = new Set()
  return {
    settled: () => Promise.allSettled(pending),
    newKeys: async () => {
      stop.signal.throwIfAborted()
      const made = make()
      pending.add(made)
      return made
    },
  }
}

/** @returns {Promise<number>} how much was left behind */
async function runAccount(vendor, runtimes, report) {
  const account = accounts[vendor]?.open(process.env)
  if (account === undefined) throw new Error(`no account ${vendor}`)
  const { target } = account
  const { newKeys, settled } = guarded(account.newKeys)
  try {
    const suite = checkOnRuntimes({ vendor, target, newKeys, report }, runtimes)
    await Promise.race([suite, stopped])
  } catch (error) {
    report.fail(vendor, error.message)
  }
  await settled()
  return cleanUp(account)
}

async function main() {
  const request = readRequest(process.argv.slice(2), process.env)
  if ('refusal' in request) {
    for (const vendor of request.vendors ?? []) print(`## ${guideOf(vendor)}`)
    print(`refused: ${request.refusal}`)
    return 2
  }
  const report = createReport(print, 'live')
  let left = 0
  for (const vendor of request.vendors)
    if (!stop.signal.aborted) left += await runAccount(vendor, request.runtimes, report)
  const code = report.close()
  if (left > 0) print(`${left} things are left in your accounts: see LEFT above`)
  return left > 0 ? 1 : code
}

async function mainOrPrint() {
  try {
    return await main()
  } catch (error) {
    print(error.message)
    return 1
  }
}

// Children of a run that was interrupted may still be at work.
process.exit(await mainOrPrint())
