/** The scratch folder: the packed package, the guide's blocks as files, and what a bundler makes of the pages. */
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { blocksOf } from '../../tools/lib/doc-blocks.mjs'
import { root } from '../../tools/lib/folders.mjs'
import { installInto } from '../../tools/lib/pack.mjs'

const pages = fileURLToPath(new URL('pages/', import.meta.url))
/** Dependencies of the package's subpaths: a user's project has them from the registry. */
const DEPENDENCIES = ['aws4fetch', 'jose', 'zod']

/**
 * The blocks of a guide that name their file in the first line.
 *
 * @returns {Map<string, string>} code by path
 */
export function guideFiles() {
  const named = blocksOf('docs/guides/browsers.md').flatMap(({ code }) => {
    const path = /^\/\/ ([\w./-]+\.ts)\n/.exec(code)?.[1]
    return path === undefined ? [] : [/** @type {const} */ ([path, code])]
  })
  return new Map(named)
}

/**
 * Bundles for a browser, as an application's build does.
 *
 * @param {string} scratch
 * @returns {Promise<{ files: Map<string, Uint8Array>, handlers: Record<string, string> }>} what is served by
 *   its name, and the modules of the guide's route handlers by their path
 */
export async function layOut(scratch) {
  installInto(scratch)
  for (const name of DEPENDENCIES)
    symlinkSync(join(root, 'node_modules', name), join(scratch, 'node_modules', name), 'dir')
  writeFileSync(join(scratch, 'package.json'), '{ "private": true, "type": "module" }')
  const guide = guideFiles()
  for (const [path, code] of guide) {
    const to = join(scratch, 'guide', path)
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, code)
  }
  const sources = readdirSync(pages)
  for (const name of sources) copyFileSync(join(pages, name), join(scratch, name))
  copyFileSync(join(root, 'test/runtime/runners/report.mjs'), join(scratch, 'report.mjs'))
  await bundle([join(root, 'test/runtime/suite.ts')], scratch)
  if (/(from|import)\s*['"]edge-kms/.test(readFileSync(join(scratch, 'suite.js'), 'utf8')))
    throw new Error('the suite must take the package as its argument')
  /** @type {Map<string, Uint8Array>} */
  const files = new Map()
  const made = await bundle(sources.map((name) => join(scratch, name)))
  for (const { path, contents } of made.outputFiles ?? [])
    files.set(path.split('/').at(-1) ?? path, contents)
  const routes = [...guide.keys()].filter((path) => path.endsWith('/route.ts'))
  const handlers = routes.map((path) => [
    path.replace(/^app(.*)\/route\.ts$/, '$1'),
    join(scratch, 'guide', path),
  ])
  return { files, handlers: Object.fromEntries(handlers) }
}

/**
 * @param {string[]} entryPoints
 * @param {string} [outdir] written there, and otherwise returned
 */
function bundle(entryPoints, outdir) {
  return build({
    entryPoints,
    outdir: outdir ?? '/',
    write: outdir !== undefined,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'error',
  })
}
