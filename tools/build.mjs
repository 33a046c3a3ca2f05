/**
 * Builds `dist` aside and then swaps it in: another command that reads `dist` meanwhile sees the
 * old one or the new one, and a build with an error leaves the old one alone.
 */
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './lib/folders.mjs'

const dist = join(root, 'dist')
const next = `${dist}.${process.pid}.next`
const old = `${dist}.${process.pid}.old`
const tsc = join(root, 'node_modules', '.bin', 'tsc')

try {
  const code = run(tsc, ['-p', 'tsconfig.build.json', '--outDir', next])
  if (code !== 0) process.exitCode = code
  else {
    try {
      renameSync(dist, old)
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
    renameSync(next, dist)
  }
} finally {
  rmSync(next, { recursive: true, force: true })
  rmSync(old, { recursive: true, force: true })
}
