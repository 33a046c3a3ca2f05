/**
 * `npm run test:docs`: builds the documentation site and checks it: links and anchors of every page, and in Chromium
 * accessibility, widths, requests and the search. `-- --shots FOLDER` also keeps pictures for a person to look at.
 */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { buildSite, makeApi, siteFolder } from '../../tools/docs/build.mjs'
import { serveSite } from '../../tools/docs/serve.mjs'
import { chromiumDriver, findChromium } from '../../tools/servers/chromium.mjs'
import { MissingError } from '../../tools/servers/missing.mjs'
import { printTable, runCases } from '../runtime/runners/report.mjs'
import { buildCases } from './cases/build.mjs'
import { pageCases } from './cases/pages.mjs'
import { searchCases } from './cases/search.mjs'
import { takeShots } from './shots.mjs'

const { values } = parseArgs({ options: { shots: { type: 'string' } } })

/** Chromium resolves no name: a request that leaves the machine fails. */
const OFFLINE = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']

async function inChromium(site) {
  let path
  try {
    path = findChromium().path
  } catch (error) {
    if (!(error instanceof MissingError) || process.env['CI'] === 'true') throw error
    return [{ name: 'site: pages in Chromium', state: 'skipped', text: error.message }]
  }
  const browser = await chromiumDriver().launch({ executablePath: path, args: OFFLINE })
  try {
    const world = { browser, origin: site.origin }
    const table = await runCases([...pageCases(world), ...searchCases(world)])
    if (values.shots !== undefined) await takeShots(world, resolve(values.shots))
    return table
  } finally {
    await browser.close()
  }
}

async function lane() {
  makeApi()
  buildSite()
  // Not before docs/ is installed.
  const { diagramCases } = await import('./cases/diagrams.mjs')
  const table = await runCases([...buildCases(siteFolder), ...diagramCases])
  const site = await serveSite(siteFolder, 0)
  try {
    return printTable('docs', [...table, ...(await inChromium(site))])
  } finally {
    await site.stop()
  }
}

process.exitCode = await lane()
