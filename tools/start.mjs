/**
 * `npm start`: the Worker of wrangler.toml in workerd on this machine, with an embedded local key.
 * Nothing is fetched from anywhere: it works offline.
 *
 * This file runs on any Node from 20 on, and hands over to the one that `npm ci` installs.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const bin = join(import.meta.dirname, '..', 'node_modules', '.bin', 'node')
const major = Number(process.versions.node.split('.')[0])

if (!existsSync(bin)) {
  console.error('edge-kms: the packages are not installed. Run: npm ci')
  process.exitCode = 1
} else if (major >= 24) {
  await import('./start/main.mjs')
} else {
  const child = spawn(bin, [import.meta.filename], { stdio: 'inherit' })
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => child.kill(signal))
  child.once('exit', (code) => process.exit(code ?? 1))
}
