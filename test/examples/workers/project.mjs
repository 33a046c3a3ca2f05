/** examples/workers over the packed package, as somebody who copied the folder has it. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ensureFolder, root, toolEnv } from '../../../tools/lib/folders.mjs'
import { installInto, scratchFolder } from '../../../tools/lib/pack.mjs'

const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const PARTS = ['package.json', 'tsconfig.json', 'app', 'vault']
const LOCAL_STATE = /\/(?:\.wrangler|\.dev\.vars)$/

/**
 * @typedef {ReturnType<typeof openProject>} Project
 */

/** The example in a folder of its own, with the packages of its lock file and the tarball. */
export function openProject() {
  const example = ensureFolder('../examples/workers')
  const folder = scratchFolder('workers')
  /** @param {string} name  @param {string} from */
  const link = (name, from) => {
    const path = join(folder, 'node_modules', name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(join(from, 'node_modules', name), path)
  }
  for (const name of readdirSync(join(example, 'node_modules'))) link(name, example)
  // npm would install these beside the tarball, unless the example has them already.
  for (const name of Object.keys(dependencies)) {
    if (!readdirSync(join(folder, 'node_modules')).includes(name)) link(name, root)
  }
  installInto(folder)
  for (const part of PARTS) {
    const filter = (/** @type {string} */ path) => !LOCAL_STATE.test(path)
    cpSync(join(example, part), join(folder, part), { recursive: true, filter })
  }
  return { folder, bin: join(folder, 'node_modules', '.bin') }
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
