/**
 * Builds `dist` aside and then swaps it in: another command that reads `dist` meanwhile sees the
 * old one or the new one, and a build with an error leaves the old one alone. tools/package has the
 * bundler and its settings.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { binOf, node24, root, run } from './lib/folders.mjs'

const dist = join(root, 'dist')
const next = `${dist}.${process.pid}.next`
const old = `${dist}.${process.pid}.old`

function build() {
  const config = join(root, 'tools', 'package', 'tsdown.config.mjs')
  const args = ['--config', config, '--out-dir', next, '--logLevel', 'warn']
  const code = run(node24, [binOf('package', 'tsdown'), ...args])
  if (code !== 0) return code
  try {
    renameSync(dist, old)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
  renameSync(next, dist)
  return 0
}

if (!existsSync(join(root, 'node_modules', '.bin', 'node'))) {
  console.error('edge-kms: the packages are not installed. Run: npm ci')
  process.exit(1)
}
try {
  process.exitCode = build()
} finally {
  rmSync(next, { recursive: true, force: true })
  rmSync(old, { recursive: true, force: true })
}
