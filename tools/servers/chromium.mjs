/** Chromium as the distribution has it, and the driver of the tool folder. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ensureFolder } from '../lib/folders.mjs'
import { MissingError } from './missing.mjs'

const PACKAGE = 'chromium-headless-shell'
/** The programs that the driver can start, the smallest first. */
const PROGRAMS = [PACKAGE, 'chromium', 'google-chrome-stable', 'google-chrome']

/** Returns the path of the first program on PATH, or `undefined`. */
function onPath() {
  const folders = (process.env['PATH'] ?? '').split(':').filter((folder) => folder !== '')
  return PROGRAMS.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync)
}

/** Only a machine of CI's is ours to install on. */
function installed() {
  if (process.env['CI'] !== 'true' || process.getuid?.() !== 0) return undefined
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (/** @type {string[]} */ ...args) =>
    spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  process.stderr.write(`installing ${PACKAGE}\n`)
  apt('update')
  apt('install', '-y', '--no-install-recommends', PACKAGE)
  return onPath()
}

/**
 * Returns the path of a Chromium and what it says of its version.
 *
 * @throws MissingError with what the machine lacks
 */
export function findChromium() {
  const path = onPath() ?? installed()
  if (path === undefined)
    throw new MissingError(`${PROGRAMS.join(', ')}: none is on PATH: apt-get install ${PACKAGE}`)
  const said = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout
  return { path, version: /\d+(?:\.\d+)+/.exec(said)?.[0] ?? 'unknown' }
}

const driver = () => createRequire(join(ensureFolder('runtimes/chromium'), 'package.json'))

/** Returns playwright-core's driver. It downloads no browser. */
export function chromiumDriver() {
  return driver()('playwright-core').chromium
}

/** Returns axe-core's script, which makes `axe` global in a page that evaluates it. */
export function accessibilityCheck() {
  return readFileSync(driver().resolve('axe-core/axe.min.js'), 'utf8')
}
