import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { StartError } from './start-error.mjs'

/**
 * The settings of wrangler.toml that a local workerd needs. Other tools read the same file, so
 * that what runs here is what is deployed.
 * @param {string} root
 */
export function readWrangler(root) {
  const text = readFileSync(join(root, 'wrangler.toml'), 'utf8')
  const main = /^main = "([^"]+)"$/m.exec(text)?.[1]
  const compatibilityDate = /^compatibility_date = "(\d{4}-\d{2}-\d{2})"$/m.exec(text)?.[1]
  if (main === undefined || compatibilityDate === undefined) {
    throw new StartError('wrangler.toml must have a line for main and one for compatibility_date.')
  }
  const bound = /^\[\[durable_objects\.bindings\]\]\nname = "(\w+)"\nclass_name = "(\w+)"$/gm
  const objects = [...text.matchAll(bound)].map(([, name = '', className = '']) => {
    return [name, { className, useSQLite: true }]
  })
  return { main, compatibilityDate, durableObjects: Object.fromEntries(objects) }
}

/**
 * The Worker as one module.
 * @param {string} root
 * @param {string} main
 */
export async function bundleWorker(root, main) {
  const result = await build({
    entryPoints: [join(root, main)],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    conditions: ['workerd', 'worker', 'browser'],
    write: false,
    logLevel: 'error',
  })
  const file = result.outputFiles[0]
  if (file === undefined) throw new Error('esbuild wrote nothing')
  return file.text
}
