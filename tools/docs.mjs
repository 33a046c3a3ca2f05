/**
 * `npm run docs`: builds the documentation site and serves it on loopback. `-- --build` builds only, `-- --dev` serves
 * the sources with hot reload, `-- --port N` chooses the port. A warning fails the build.
 */
import { parseArgs } from 'node:util'
import { buildSite, devSite, makeApi, siteFolder } from './docs/build.mjs'
import { serveSite } from './docs/serve.mjs'

const { values } = parseArgs({
  options: {
    build: { type: 'boolean', default: false },
    dev: { type: 'boolean', default: false },
    port: { type: 'string', default: '5180' },
  },
})

makeApi()
if (values.dev) {
  process.exitCode = devSite(values.port)
} else {
  buildSite()
  if (!values.build) {
    const { origin } = await serveSite(siteFolder, Number(values.port))
    console.log(`the documentation is at ${origin}/ (Ctrl+C ends it)`)
  }
}
