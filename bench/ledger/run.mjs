/**
 * `npm run ledger`: bytes, modules, cold import and start-up of each subpath and of other libraries, written to
 * bench/results/ledger.json. `--check` compares bytes and modules of the subpaths with that file. `--sizes` measures only
 * these anew and keeps all times, which need an idle machine.
 */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { Miniflare } from 'miniflare'
import { bundleOf, gzipOf } from '../../tools/lib/bundle.mjs'
import { ensureFolder, root } from '../../tools/lib/folders.mjs'
import { installInto, scratchFolder } from '../../tools/lib/pack.mjs'
import { subpaths } from '../../tools/lib/subpaths.mjs'
import { quartiles, runAlone } from '../lib/cold-start.mjs'

const RESULTS = join(root, 'bench/results/ledger.json')
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const RUNS = 7
/** A bundle may grow by this much before somebody has to look. */
const GROWTH = { share: 0.01, bytes: 100 }

const flag = /** @type {const} */ ({ type: 'boolean', default: false })
const { values } = parseArgs({ options: { check: flag, sizes: flag } })
const specifierOf = (subpath) => `edge-kms${subpath.slice(1)}`

/** Returns the deterministic part of a row. */
async function sizeOf(specifier, options) {
  const { text, files } = await bundleOf(`export * from '${specifier}'`, options)
  return { minified: Buffer.byteLength(text), gzip: gzipOf(text), modules: files.length }
}

async function sizesOfSubpaths() {
  const rows = []
  for (const { subpath } of subpaths)
    rows.push([specifierOf(subpath), await sizeOf(specifierOf(subpath))])
  return Object.fromEntries(rows)
}

/** Compares with the committed ledger. */
async function check() {
  const { subpaths: kept } = JSON.parse(readFileSync(RESULTS, 'utf8'))
  const now = await sizesOfSubpaths()
  const problems = []
  for (const [name, { gzip, modules }] of Object.entries(now)) {
    const before = kept[name]
    if (before === undefined) {
      problems.push(`${name} is not in the ledger`)
      continue
    }
    const most = before.gzip + Math.max(GROWTH.bytes, before.gzip * GROWTH.share)
    if (gzip > most) problems.push(`${name} grew from ${before.gzip} to ${gzip} bytes with gzip`)
    if (modules > before.modules)
      problems.push(`${name} grew from ${before.modules} to ${modules} modules`)
  }
  for (const name of Object.keys(kept))
    if (now[name] === undefined) problems.push(`${name} is in the ledger and not in the package`)
  for (const problem of problems) console.log(problem)
  if (problems.length > 0)
    console.log('if the growth is meant: npm run ledger, and say why in the commit')
  console.log(`ledger: ${Object.keys(now).length} subpaths, ${problems.length} problems`)
  return problems.length === 0 ? 0 : 1
}

async function keepSizes() {
  const kept = JSON.parse(readFileSync(RESULTS, 'utf8'))
  const now = await sizesOfSubpaths()
  const rows = Object.entries(now).map(([name, sizes]) => [
    name,
    { ...kept.subpaths[name], ...sizes },
  ])
  const report = { ...kept, subpaths: Object.fromEntries(rows) }
  writeFileSync(RESULTS, `${JSON.stringify(report, null, 2)}\n`)
}

const medianOf = (measure) => quartiles(Array.from({ length: RUNS }, measure))[1]

/** Milliseconds of a cold import from node_modules, and of the same code as one file. */
async function importsOf(folder, specifier, options) {
  const { text } = await bundleOf(`export * from '${specifier}'`, options)
  const file = join(folder, 'one-file.mjs')
  writeFileSync(file, text)
  const ms = (target) =>
    runAlone(
      folder,
      `const start = performance.now()\nawait import('${target}')\nconsole.log(performance.now() - start)\n`,
    )
  return {
    installedMs: medianOf(() => ms(specifier)),
    bundledMs: attempt(() => medianOf(() => ms('./one-file.mjs'))),
  }
}

/** A bundle of another library may not load as one file. */
function attempt(measure) {
  try {
    return measure()
  } catch {
    return undefined
  }
}

/** An entry may need a platform that is not Node. */
async function orNothing(measure) {
  try {
    return await measure()
  } catch {
    return {}
  }
}

/** So often each module is imported by workerd: as a module of another name, which it has not compiled yet. */
const COPIES = 15
const IMPORTER = `export default {
  async fetch(request) {
    const all = await import(new URL(request.url).pathname.slice(1))
    return new Response(String(Object.keys(all).length))
  },
}`

/** Milliseconds in which workerd compiles and runs a module, less those of an empty one. */
async function startUpOf(code) {
  const sides = { code, empty: 'export const nothing = 0' }
  const copies = Object.entries(sides).flatMap(([side, contents]) =>
    Array.from({ length: COPIES }, (_, i) => ({
      type: /** @type {const} */ ('ESModule'),
      path: `${side}-${i}.mjs`,
      contents: `${contents}\n// ${i}`,
    })),
  )
  const miniflare = new Miniflare({
    modules: [{ type: 'ESModule', path: 'worker.mjs', contents: IMPORTER }, ...copies],
    compatibilityDate: '2026-07-30',
  })
  const request = async (name) => {
    const start = performance.now()
    const response = await miniflare.dispatchFetch(`http://localhost/${name}.mjs`)
    const text = await response.text()
    if (!response.ok) throw new Error(text.split('\n')[0])
    return performance.now() - start
  }
  try {
    const taken = []
    for (let i = 0; i < COPIES; i++)
      taken.push((await request(`code-${i}`)) - (await request(`empty-${i}`)))
    // The first request starts the Worker itself.
    return quartiles(taken.slice(1))[1]
  } finally {
    await miniflare.dispose()
  }
}

/** workerd has neither the modules of Node nor optional peers. */
async function onWorkers(specifier, options) {
  const { text, imports } = await bundleOf(`export * from '${specifier}'`, options)
  return imports.length > 0 ? {} : { startUpMs: await startUpOf(text) }
}

/** @type {[specifier: string, folder: () => string, platform: 'browser' | 'node'][]} */
const PEERS = [
  ['jose', () => root, 'browser'],
  ['@noble/ciphers/aes.js', () => join(root, 'bench/peers'), 'browser'],
  ['@47ng/cloak', () => join(root, 'bench/peers'), 'node'],
  ['tink-crypto', () => join(root, 'bench/peers'), 'browser'],
  ['@aws-crypto/client-node', () => join(root, 'bench/peers/esdk'), 'node'],
  ['@aws-sdk/client-kms', () => ensureFolder('clients/aws'), 'browser'],
  ['@azure/keyvault-keys', () => ensureFolder('clients/azure'), 'browser'],
  ['@google-cloud/kms', () => ensureFolder('clients/gcp'), 'node'],
  ['node-vault', () => ensureFolder('clients/vault'), 'node'],
]

/** Makes a dependency of the package visible beside it. */
function link(folder, name) {
  const path = join(folder, 'node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(join(root, 'node_modules', name), path)
}

async function measure() {
  const folder = scratchFolder('ledger')
  installInto(folder)
  for (const name of Object.keys(dependencies)) link(folder, name)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  const rows = await sizesOfSubpaths()
  for (const name of Object.keys(rows)) {
    console.error(name)
    rows[name] = { ...rows[name], ...(await orNothing(() => importsOf(folder, name))) }
    rows[name] = { ...rows[name], ...(await onWorkers(name)) }
  }
  const peers = {}
  for (const [name, folderOf, platform] of PEERS) {
    console.error(name)
    const resolveDir = folderOf()
    try {
      const options = { resolveDir, platform }
      peers[name] = await sizeOf(name, options)
      // Below its node_modules, so that the import finds it.
      const scratch = join(resolveDir, 'node_modules', '.edge-kms')
      mkdirSync(scratch, { recursive: true })
      peers[name] = { ...peers[name], ...(await importsOf(scratch, name, options)) }
      if (platform === 'browser')
        peers[name] = { ...peers[name], ...(await orNothing(() => onWorkers(name, options))) }
    } catch (error) {
      peers[name] = { ...peers[name], note: error.message.split('\n')[0] }
    }
  }
  const report = { at: new Date().toISOString(), subpaths: rows, peers }
  writeFileSync(RESULTS, `${JSON.stringify(report, null, 2)}\n`)
  for (const [name, { gzip, modules, installedMs = NaN }] of Object.entries({ ...rows, ...peers }))
    console.log(
      `${name.padEnd(32)} ${(gzip / 1024).toFixed(1).padStart(8)} KiB gzip ${String(modules).padStart(5)} modules ${installedMs.toFixed(1).padStart(7)} ms`,
    )
}

if (!existsSync(join(root, 'dist'))) throw new Error('dist is missing: npm run build')
if (values.check) process.exitCode = await check()
else if (values.sizes) await keepSizes()
else await measure()
