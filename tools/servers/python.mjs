/** Finds a Python for a server and makes virtual environments of it. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { MissingError } from './missing.mjs'

const probe = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])'

/** Version managers keep interpreters that are not on PATH, or only behind a shim that refuses. */
function managed(versions) {
  const root = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions')
  if (!existsSync(root)) return []
  const names = readdirSync(root)
  return versions.flatMap((version) =>
    names
      .filter((name) => name === version || name.startsWith(`${version}.`))
      .map((name) => join(root, name, 'bin', 'python3')),
  )
}

function look(versions) {
  const named = versions.map((version) => `python${version}`)
  for (const command of [...named, ...managed(versions), 'python3']) {
    const asked = spawnSync(command, ['-c', probe], { encoding: 'utf8' })
    if (asked.status === 0 && versions.includes(asked.stdout.trim())) return command
  }
  return undefined
}

/** Only a machine of CI's is ours to install on, and only where its distribution has the package. */
function installFrom(versions) {
  const ours = process.env['CI'] === 'true' && process.getuid?.() === 0
  if (!ours || spawnSync('apt-get', ['--version']).status !== 0) return
  const apt = (...args) =>
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0
  apt('update', '-qq')
  for (const version of versions) {
    if (spawnSync('apt-cache', ['show', `python${version}-venv`]).status !== 0) continue
    if (apt('install', '-y', '-qq', `python${version}`, `python${version}-venv`)) return
  }
}

/**
 * A Python of one of these versions with venv and pip, the first version preferred.
 *
 * @param {readonly string[]} versions such as `['3.13', '3.12']`
 * @param {string} what names the server in the reason
 * @returns {string} the command
 */
export function findPython(versions, what) {
  const found = look(versions)
  if (found !== undefined) return found
  installFrom(versions)
  const installed = look(versions)
  if (installed !== undefined) return installed
  const [first] = versions
  throw new MissingError(
    `${what} needs Python ${versions.join(' or ')} with venv: ` +
      `apt-get install python${first} python${first}-venv, or pyenv install ${first}`,
  )
}

/**
 * Makes a virtual environment in `folder` and installs the packages with exactly these versions.
 * The folder may be renamed afterwards, as long as programs are started as `python -m`.
 */
export function installPackages({ python, folder, packages, constraints }) {
  const steps = [
    [python, ['-m', 'venv', folder]],
    [
      join(folder, 'bin', 'python'),
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-c', constraints].concat(
        packages,
      ),
    ],
  ]
  for (const [command, args] of steps) {
    const done = spawnSync(command, args, { encoding: 'utf8' })
    if (done.status === 0) continue
    const lines = `${done.stdout ?? ''}\n${done.stderr ?? ''}`.trim().split('\n')
    throw new MissingError(`${packages[0]} could not be installed: ${lines.slice(-3).join(' | ')}`)
  }
}
