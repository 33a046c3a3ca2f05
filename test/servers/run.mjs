/**
 * `npm run test:servers [vendor[/server] …] [--write]`: everything against servers that others wrote.
 * A vendor is a folder with a lane.mjs; README.md says which files it may have beside it. With `--write`, a document
 * that says what was seen is written instead of compared.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { checkLauncher } from './launcher.mjs'
import { createReport } from './lib/report.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const vendors = readdirSync(here).filter(
  (name) => name !== 'lib' && existsSync(join(here, name, 'lane.mjs')),
)
const asked = process.argv.slice(2).filter((arg) => arg !== '--write')
const writes = process.argv.includes('--write')
const wanted = (name) => asked.length === 0 || asked.some((arg) => arg.split('/')[0] === name)

const unknown = asked.filter((arg) => !['launcher', ...vendors].includes(arg.split('/')[0]))
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(', ')}; there are launcher, ${vendors.join(', ')}`)
  process.exit(2)
}

const report = createReport()
if (wanted('launcher')) await checkLauncher(report)

for (const vendor of vendors.filter(wanted)) {
  const folder = join(here, vendor)
  const providers = readdirSync(folder)
    .filter((name) => /^provider\..+\.mjs$/.test(name))
    .map((name) => ({ name, url: pathToFileURL(join(folder, name)).href }))
  const servers = asked.flatMap((arg) => {
    const [name, server] = arg.split('/')
    return name === vendor && server !== undefined ? [server] : []
  })
  const { runLane } = await import(pathToFileURL(join(folder, 'lane.mjs')).href)
  const only = servers.length === 0 ? undefined : servers
  await runLane({ report, providers, only, writes })
}
process.exitCode = report.close()
