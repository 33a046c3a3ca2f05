/**
 * `npm run test:runtimes [runtime …]`: builds and packs the package, installs the tarball in a
 * scratch folder, and runs the one suite against it on every runtime.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { binOf, node24, root, run, toolEnv } from '../../../tools/lib/folders.mjs'
import { packInto, scratchFolder } from '../../../tools/lib/pack.mjs'
import { keepProof } from '../../../tools/lib/proof.mjs'
import { buildProgram } from '../../platforms/build.mjs'
import { exchange } from '../../platforms/exchange.mjs'
import { workerModule } from '../../workerd/worker-module.ts'
import { runBunSqlite } from '../bun-sqlite/run.mjs'
import { runDenoKv } from '../deno-kv/run.mjs'
import { runLambda } from './lambda.mjs'
import { printTable } from './report.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
/** Another suite can be named to try the runners themselves. */
const suite = process.env['EDGE_KMS_RUNTIME_SUITE'] ?? join(root, 'test/runtime/suite.ts')
const scratch = scratchFolder('runtimes')
/** Files that are copied beside the installed package. */
const RUNNERS = [
  ...['file-cases.mjs', 'library.mjs', 'package.mjs', 'report.mjs', 'process.mjs', 'worker.mjs'],
  ...['lambda-handler.mjs', 'lambda-runtime.mjs'],
]

function installTarball() {
  if (run(node24, ['tools/build.mjs']) !== 0) throw new Error('the build failed')
  const { tarball } = packInto(scratch)
  const manifest = { name: 'scratch', private: true, type: 'module' }
  writeFileSync(join(scratch, 'package.json'), JSON.stringify(manifest))
  const args = [
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    tarball,
  ]
  const done = spawnSync('npm', args, { cwd: scratch, stdio: ['ignore', 'ignore', 'inherit'] })
  if (done.status !== 0) throw new Error('installing the tarball failed')
}

async function layOut() {
  for (const file of RUNNERS) copyFileSync(join(here, file), join(scratch, file))
  // Types only name the package, so the suite becomes one file that imports nothing of it.
  await build({
    entryPoints: [suite],
    outfile: join(scratch, 'suite.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    logLevel: 'error',
  })
  if (/(from|import)\s*['"]edge-kms/.test(readFileSync(join(scratch, 'suite.mjs'), 'utf8')))
    throw new Error('the suite must take the package as its argument')
}

function inProcess(name, command, args) {
  const done = spawnSync(command, [...args, 'process.mjs', name], {
    cwd: scratch,
    env: toolEnv(),
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  // A runner that dies prints no closing line of its own.
  if (done.status !== 0 && done.status !== 1) console.log(`${name}: 0 passed, 1 failed`)
  else
    keepProof(
      `runtime-${name}`,
      JSON.parse(readFileSync(join(scratch, `${name}.table.json`), 'utf8')),
    )
  return done.status === 0 ? 0 : 1
}

async function inDenoKv() {
  /** @type {any} */
  const table = await runDenoKv(scratch)
  keepProof('runtime-deno-kv', table)
  return printTable('deno-kv', table)
}

function inBunSqlite() {
  /** @type {any} */
  const table = runBunSqlite(scratch)
  keepProof('runtime-bun-sqlite', table)
  return printTable('bun-sqlite', table)
}

/** Has each runtime read and rewrap the messages of every other one. */
async function betweenRuntimes() {
  const rows = await exchange(await buildProgram(scratch))
  keepProof('exchange', rows)
  return printTable('exchange', rows)
}

async function inLambda() {
  const { table, missing } = await runLambda(scratch)
  if (table === undefined) {
    console.log(`lambda: 0 passed, 0 failed, 1 skipped: ${missing}`)
    return 0
  }
  keepProof('runtime-lambda', table)
  return printTable('lambda', table)
}

async function inWorkerd() {
  const { compatibilityDate } = workerSettings()
  const miniflare = new Miniflare({
    modules: [await workerModule(join(scratch, 'worker.mjs'))],
    compatibilityDate,
  })
  try {
    const response = await miniflare.dispatchFetch('http://localhost/')
    if (!response.ok)
      throw new Error(`the Worker answered ${response.status}: ${await response.text()}`)
    /** @type {any} */
    const table = await response.json()
    keepProof('runtime-workerd', table)
    return printTable('workerd', table)
  } catch (error) {
    console.log(`workerd: FAILED ${error.stack ?? error}`)
    console.log('workerd: 0 passed, 1 failed')
    return 1
  } finally {
    // After a failed start it throws once more, and has nothing to say.
    await miniflare.dispose().catch(() => undefined)
  }
}

/** The Worker's own date, so that the suite sees what a deployment sees. */
function workerSettings() {
  const text = readFileSync(join(root, 'wrangler.toml'), 'utf8')
  const compatibilityDate = /^compatibility_date = "([\d-]+)"$/m.exec(text)?.[1]
  if (compatibilityDate === undefined) throw new Error('wrangler.toml has no compatibility_date')
  if (/^\s*compatibility_flags/m.test(text)) throw new Error('wrangler.toml sets flags')
  return { compatibilityDate }
}

const denoFlags = ['run', '--allow-all', '--no-remote', '--node-modules-dir=manual', '--no-lock']
const runtimes = {
  node22: () => inProcess('node22', binOf('runtimes/node22', 'node'), []),
  node24: () => inProcess('node24', node24, []),
  workerd: inWorkerd,
  deno: () => inProcess('deno', binOf('runtimes/deno', 'deno'), denoFlags),
  bun: () => inProcess('bun', binOf('runtimes/bun', 'bun'), ['run']),
  lambda: inLambda,
  'deno-kv': inDenoKv,
  'bun-sqlite': inBunSqlite,
  exchange: betweenRuntimes,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in runtimes))
if (unknown.length > 0) {
  console.error(
    `no such runtime: ${unknown.join(', ')}; there are ${Object.keys(runtimes).join(', ')}`,
  )
  process.exit(2)
}
if (!existsSync(suite)) throw new Error(`there is no ${suite}`)
installTarball()
await layOut()
let failed = 0
for (const name of asked.length === 0 ? Object.keys(runtimes) : asked)
  failed += await runtimes[name]()
process.exitCode = failed === 0 ? 0 : 1
