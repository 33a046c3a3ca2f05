/** Bundles the program for every runtime over the packed package: one file for each way in. */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { root } from '../../tools/lib/folders.mjs'

const entryOf = (name) => fileURLToPath(new URL(`entries/${name}.mjs`, import.meta.url))

/** Without it, the name of the package would lead to this folder's own `dist`. */
const packedIn = (folder) => ({
  name: 'packed',
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^edge-kms(\/|$)/ }, ({ path, kind, pluginData }) =>
      pluginData === 'packed'
        ? undefined
        : resolve(path, { kind, resolveDir: folder, pluginData: 'packed' }),
    )
  },
})

/**
 * @param {string} folder with the package in its `node_modules`
 * @returns {Promise<string>} the folder with `process.mjs`, `worker.mjs` and `lambda.mjs`
 */
export async function buildProgram(folder) {
  const manifest = join(folder, 'package.json')
  // A package.json further up may bear the name of the package, and would then stand in for it.
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "name": "scratch", "type": "module" }')
  const outdir = join(folder, 'platforms')
  await build({
    entryPoints: ['process', 'worker', 'lambda'].map(entryOf),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['node:*'],
    target: 'es2022',
    // The package's dependencies, where the package alone was unpacked.
    nodePaths: [join(root, 'node_modules')],
    plugins: [packedIn(folder)],
    logLevel: 'error',
  })
  return outdir
}
