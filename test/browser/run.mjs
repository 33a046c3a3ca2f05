/**
 * `npm run test:browser`: the packed package in headless Chromium. The suite of all runtimes, what a browser refuses,
 * and the journeys of docs/guides/browsers.md. A machine without Chromium prints why it skips the lane.
 */
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { node24, run } from '../../tools/lib/folders.mjs'
import { scratchFolder } from '../../tools/lib/pack.mjs'
import { keepProof } from '../../tools/lib/proof.mjs'
import { chromiumDriver, findChromium } from '../../tools/servers/chromium.mjs'
import { MissingError } from '../../tools/servers/missing.mjs'
import { printTable, runCases } from '../runtime/runners/report.mjs'
import { deviationCases } from './cases/deviations.mjs'
import { documentCases } from './cases/documents.mjs'
import { noteCases } from './cases/notes.mjs'
import { reportCases } from './cases/reports.mjs'
import { layOut } from './lay-out.mjs'
import { startSite } from './site.mjs'

const scratch = scratchFolder('browser')

/** Every page is watched: an error that no case sees is a failure, too. */
function watch(context, problems) {
  context.on('weberror', (error) => problems.push(`not caught: ${error.error()}`))
}

/** One browser for profiles in memory, and a browser of its own for each profile on the disk. */
async function browserOf({ path, problems }) {
  const chromium = chromiumDriver()
  const shared = await chromium.launch({ executablePath: path })
  const watched = (context) => {
    watch(context, problems)
    return context
  }
  return {
    fresh: () => ({ open: async () => watched(await shared.newContext()) }),
    kept: () => {
      const folder = mkdtempSync(join(scratch, 'profile-'))
      const options = { executablePath: path }
      return { open: async () => watched(await chromium.launchPersistentContext(folder, options)) }
    },
    close: () => shared.close(),
  }
}

/** The suite, in one page: what it returns is plain data. */
async function suiteIn(profile, origin) {
  const context = await profile.open()
  try {
    const page = await context.newPage()
    await page.goto(`${origin}/suite.html`)
    return await page.evaluate(() => Reflect.get(globalThis, 'runSuite')())
  } finally {
    await context.close()
  }
}

async function inChromium(path) {
  if (run(node24, ['tools/build.mjs']) !== 0) throw new Error('the build failed')
  const site = await startSite(await layOut(scratch))
  /** @type {string[]} */
  const problems = []
  const browser = await browserOf({ path, problems })
  const { fresh, kept } = browser
  try {
    const suite = await suiteIn(fresh(), site.origin)
    const own = [noteCases, documentCases, reportCases, deviationCases].flatMap((cases) =>
      cases({ fresh, kept, site }),
    )
    const table = [...suite, ...(await runCases(own))]
    const unseen = problems.map((text) => ({ name: 'a page', state: 'failed', text }))
    return [...table, ...unseen]
  } finally {
    await browser.close()
    await site.stop()
  }
}

/** @returns the exit code */
async function lane() {
  let found
  try {
    found = findChromium()
  } catch (error) {
    if (!(error instanceof MissingError) || process.env['CI'] === 'true') throw error
    console.log(`chromium: skipped: ${error.message}`)
    console.log('chromium: 0 passed, 0 failed, 1 skipped')
    return 0
  }
  const { path, version } = found
  const started = Date.now()
  console.log(`chromium ${version}: ${path}`)
  const table = await inChromium(path)
  keepProof('runtime-chromium', table)
  const code = printTable('chromium', table)
  console.log(`chromium took ${((Date.now() - started) / 1000).toFixed(1)} s of 60 s`)
  return code
}

process.exitCode = await lane()
