/** Packs the built package as a release would, outside the tree. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './folders.mjs'

/** A folder under the system's temporary one that is removed when the process ends. */
export function scratchFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `edge-kms-${name}-`))
  process.on('exit', () => {
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

/** @returns the tarball's path and the files it holds */
export function packInto(folder) {
  const args = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination']
  const done = spawnSync('npm', [...args, folder], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (done.status !== 0) throw new Error('npm pack failed')
  const report = JSON.parse(done.stdout)
  const [packed] = Array.isArray(report) ? report : Object.values(report)
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path) }
}

/** Unpacks the package into `<folder>/node_modules/edge-kms`, without what it depends on. */
export function installInto(folder) {
  const to = join(folder, 'node_modules', 'edge-kms')
  mkdirSync(to, { recursive: true })
  const { tarball } = packInto(folder)
  const done = spawnSync('tar', ['-xzf', tarball, '--strip-components=1', '-C', to])
  if (done.status !== 0) throw new Error(`tar failed: ${done.stderr}`)
}
