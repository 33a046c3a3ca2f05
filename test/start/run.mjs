// `npm run test:start`: `npm start` from end to end, as a user has it, with the real curl.
import { createReport } from '../servers/lib/report.mjs'
import { checkAws } from './aws.mjs'
import { checkConfig } from './config.mjs'
import { checkCuts } from './cuts.mjs'
import { checkPipes, checkUnusualStarts } from './edges.mjs'
import { createWorld } from './world.mjs'
import { checkRaw } from './raw.mjs'
import { checkRefusals } from './refusals.mjs'
import { checkRoutes } from './routes.mjs'
import { checkStartUp } from './start-up.mjs'
import { checkTampering } from './tampering.mjs'

const report = createReport()
const world = createWorld()
try {
  const local = world.start()
  const { url } = await local.ready()
  checkRoutes(report, world, local, url)
  checkTampering(report, world, url)
  checkRefusals(report, world, url)
  checkCuts(report, world, url, 3_000_000)
  checkRaw(report, url)
  checkPipes(report, url)
  await report.settled()
  await checkStartUp(report, world, local)
  await report.settled()
  await checkUnusualStarts(report, world)
  await report.settled()
  await checkAws(report, world)
  await report.settled()
  await checkConfig(report, world)
  await report.settled()
} catch (error) {
  report.fail('the run itself', error instanceof Error ? error.stack : error)
} finally {
  await world.close()
}
// At the very end: what was printed while it was stopped counts too.
void report.check('no key, no secret and no plaintext was ever printed or answered', () =>
  world.demandNoSecrets(),
)
await report.settled()
const { passed, failed, skipped } = report.counts
const rest = skipped === 0 ? '' : `, ${skipped} skipped`
console.log(`start: ${passed} passed, ${failed} failed${rest}`)
process.exitCode = failed === 0 ? 0 : 1
