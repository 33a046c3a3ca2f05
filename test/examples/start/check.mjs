/** The pages of docs/start, each followed by copying from an empty folder. */
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { binOf, toolEnv } from '../../../tools/lib/folders.mjs'
import { chromiumDriver, findChromium } from '../../../tools/servers/chromium.mjs'
import { MissingError } from '../../../tools/servers/missing.mjs'
import { freePort } from '../../start/gateway-process.mjs'
import { followLesson } from '../follow-lesson.mjs'

/**
 * @typedef {object} Page
 * @property {string} name
 * @property {string} [port] that the page uses
 * @property {string} [ready] of its server
 * @property {string} [runtime] a tool folder whose program the page calls
 * @property {string} last line that it prints
 */

/** @type {Page[]} */
const PAGES = [
  { name: 'node', last: 'ek1. ERR_DECRYPT_FAILED\n' },
  { name: 'bun', runtime: 'bun', last: 'ek1. 4111 1111\n' },
  { name: 'deno', runtime: 'deno', last: 'ek1. 4111 1111\n' },
  { name: 'workers', port: '8787', ready: 'Ready on', last: 'ek1.\n4111 1111\n' },
  { name: 'lambda', last: 'ek1. 4111 1111\n' },
  { name: 'browsers', port: '8000', ready: '127.0.0.1', last: 'ek1. remember the milk\n' },
]

/** Returns the title of a page once its script has set it. @param {string} executablePath */
const titles = (executablePath) => async (/** @type {string} */ address) => {
  const browser = await chromiumDriver().launch({ executablePath })
  try {
    const page = await browser.newPage()
    await page.goto(address)
    await page.waitForFunction("document.title !== 'waiting'")
    return await page.title()
  } finally {
    await browser.close()
  }
}

/** @param {Page} page  @param {((address: string) => Promise<string>) | undefined} titleOf */
async function follow({ name, port = '', ready = '', runtime, last }, titleOf) {
  const free = port === '' ? '' : String(await freePort())
  const local = (/** @type {string} */ text) => (port === '' ? text : text.replaceAll(port, free))
  const { PATH } = toolEnv()
  const env =
    runtime === undefined
      ? {}
      : { PATH: `${dirname(binOf(`runtimes/${runtime}`, runtime))}:${PATH}` }
  const startedMs = performance.now()
  const printed = await followLesson(`docs/start/${name}.md`, { ready, local, env, titleOf })
  console.log(`start/${name}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
  assert.equal(printed.at(-1), last)
}

/** @returns {{ titleOf?: (address: string) => Promise<string>, missing?: string }} */
function browser() {
  try {
    return { titleOf: titles(findChromium().path) }
  } catch (error) {
    if (error instanceof MissingError) return { missing: error.message }
    throw error
  }
}

/** @param {import('../workers/world.mjs').Report} report */
export async function checkStart({ check, skip }) {
  const { titleOf, missing } = browser()
  for (const page of PAGES) {
    if (page.name === 'browsers' && missing !== undefined) skip('start/browsers', missing)
    else
      await check(
        `docs/start/${page.name}.md, followed by copying, ends with a decrypted value`,
        () => follow(page, titleOf),
      )
  }
}
