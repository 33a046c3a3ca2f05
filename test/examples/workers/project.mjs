/** examples/workers over the packed package, as somebody who copied the folder has it. */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { toolEnv } from '../../../tools/lib/folders.mjs'
import { copyExample } from '../project.mjs'

/**
 * @typedef {ReturnType<typeof openProject>} Project
 */

/** The example in a folder of its own, with the packages of its lock file and the tarball. */
export function openProject() {
  return copyExample('workers', ['package.json', 'tsconfig.json', 'app', 'vault'])
}

/**
 * Runs a command in the project and returns what it printed.
 *
 * @param {Project} project
 * @param {string} command
 * @param {string[]} args
 */
export function runIn({ folder, bin }, command, args) {
  const env = { ...toolEnv(), CI: '1', FORCE_COLOR: '0' }
  const path = command === 'wrangler' ? join(bin, command) : command
  const done = spawnSync(path, args, { cwd: folder, env, encoding: 'utf8' })
  if (done.status === 0) return done.stdout
  throw new Error(`${command} ${args.join(' ')}: ${done.stdout}${done.stderr}`)
}

/**
 * Returns a function that reads the options of a Worker for miniflare from its wrangler.toml and its .dev.vars.
 *
 * @param {Project} project
 */
export async function workerOptions({ folder }) {
  const { resolve } = createRequire(join(folder, 'package.json'))
  const { unstable_getMiniflareWorkerOptions: read } = await import(resolve('wrangler'))
  return (/** @type {string} */ name) => {
    const { rootPath: _rootPath, ...options } = read(
      join(folder, name, 'wrangler.toml'),
    ).workerOptions
    return options
  }
}
