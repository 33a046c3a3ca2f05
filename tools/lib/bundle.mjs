/** Bundles code as a Worker has it: minified, for a browser-like platform. */
import { builtinModules } from 'node:module'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from './folders.mjs'

/** Returns the bytes of a text with gzip. @param {string} text */
export const gzipOf = (text) => gzipSync(text, { level: 9 }).length

/**
 * Returns the bundle of a few lines of code, with its source map and the files that lend it code.
 *
 * @param {string} code
 * @param {{ resolveDir?: string, platform?: 'browser' | 'node' }} [options]
 */
export async function bundleOf(code, { resolveDir = root, platform = 'browser' } = {}) {
  const result = await build({
    stdin: { contents: code, resolveDir, loader: 'js' },
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform,
    conditions: platform === 'browser' ? ['workerd', 'worker', 'browser'] : [],
    external: ['node:*', 'cloudflare:*', ...builtinModules],
    metafile: true,
    sourcemap: 'external',
    outfile: 'bundle.js',
    write: false,
    legalComments: 'none',
    logLevel: 'error',
  })
  const [map, { text }] = result.outputFiles
  const { imports, inputs } = result.metafile.outputs['bundle.js']
  const files = Object.keys(inputs).filter((file) => inputs[file].bytesInOutput > 0)
  return { text, map: map.text, imports, files }
}
