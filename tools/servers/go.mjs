/** Builds a server that is published as Go source, from the module proxy alone. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MissingError } from './missing.mjs'

/** The oldest Go that the servers here compile with. */
const OLDEST = [1, 24]

/** @param {string} what @param {readonly number[]} [oldest] */
function findGo(what, oldest = OLDEST) {
  const asked = spawnSync('go', ['env', 'GOVERSION', 'GOMODCACHE'], { encoding: 'utf8' })
  const [version = '', modules = ''] = (asked.stdout ?? '').trim().split('\n')
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? []
  const enough = Number(major) > oldest[0] || Number(minor) >= oldest[1]
  if (asked.status === 0 && enough) return { version, modules }
  throw new MissingError(`${what} is built with Go ${oldest.join('.')} or newer, which is not here`)
}

/** Returns the `go` command in a folder, without another toolchain. */
const goIn =
  (work, name, cgo = false) =>
  (/** @type {string[]} */ ...args) => {
    const env = {
      ...process.env,
      CGO_ENABLED: cgo ? '1' : '0',
      GOFLAGS: '-buildvcs=false',
      GOTOOLCHAIN: 'local',
    }
    const done = spawnSync('go', args, { cwd: work, encoding: 'utf8', env })
    if (done.status === 0) return
    const lines = `${done.stdout ?? ''}\n${done.stderr ?? ''}`.trim().split('\n')
    throw new MissingError(`${name} could not be built: ${lines.slice(-3).join(' | ')}`)
  }

/**
 * Builds a main package of ours, with its go.mod and go.sum, into `<folder>/<name>`.
 *
 * @param {{ folder: string, source: string, name: string, oldest: readonly [number, number] }} options
 */
export function buildOwnGoProgram({ folder, source, name, oldest }) {
  findGo(name, oldest)
  const flags = ['-mod=readonly', '-trimpath', '-ldflags', '-s -w']
  goIn(source, name)('build', ...flags, '-o', join(folder, name), '.')
}

/**
 * Builds the main package of a module at exactly one version into `<folder>/<name>`.
 *
 * @param {object} options
 * @param {string} options.folder
 * @param {string} options.module
 * @param {string} options.version as the proxy has it: a tag, or a full pseudo-version
 * @param {string} options.name of the program
 * @param {string} [options.main] the package of the program, where it is not the module's root
 * @param {string} [options.ldflags]
 * @param {boolean} [options.cgo] whether the program needs a C compiler
 */
export function buildGoProgram(options) {
  const { folder, module, version, name, main = module, ldflags = '', cgo } = options
  const { modules } = findGo(name)
  const work = join(folder, 'module')
  mkdirSync(work)
  const go = goIn(work, name, cgo)
  writeFileSync(join(work, 'go.mod'), `module edge-kms/server\n\ngo ${OLDEST.join('.')}\n`)
  go('mod', 'download', `${module}@${version}`)
  // The module's own sums: the checksum database lacks some of what it needs.
  copyFileSync(join(modules, `${escaped(module)}@${version}`, 'go.sum'), join(work, 'go.sum'))
  go('get', '-tool', `${main}@${version}`)
  const flags = ['-trimpath', '-ldflags', `-s -w ${ldflags}`.trim()]
  go('build', ...flags, '-o', join(folder, name), main)
}

/** The module cache must work where file names have no case. @param {string} module */
const escaped = (module) => module.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`)
