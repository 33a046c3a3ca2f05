/** An example over the packed package, as somebody who copied its folder has it. */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ensureFolder, root } from '../../tools/lib/folders.mjs'
import { installInto, scratchFolder } from '../../tools/lib/pack.mjs'

const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const LOCAL_STATE = /\/(?:\.wrangler|\.dev\.vars)$/

/**
 * Returns an example in a folder of its own, with the packages of its lock file and the tarball.
 *
 * @param {string} name of the folder in examples/
 * @param {string[]} parts its files and folders to copy
 */
export function copyExample(name, parts) {
  const example = ensureFolder(`../examples/${name}`)
  const folder = scratchFolder(name)
  /** @param {string} dependency  @param {string} from */
  const link = (dependency, from) => {
    const path = join(folder, 'node_modules', dependency)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(join(from, 'node_modules', dependency), path)
  }
  for (const dependency of readdirSync(join(example, 'node_modules'))) link(dependency, example)
  // The packages that npm would install beside the tarball, unless the example has it already.
  for (const dependency of Object.keys(dependencies)) {
    if (!readdirSync(join(folder, 'node_modules')).includes(dependency)) link(dependency, root)
  }
  installInto(folder)
  for (const part of parts) {
    const filter = (/** @type {string} */ path) => !LOCAL_STATE.test(path)
    cpSync(join(example, part), join(folder, part), { recursive: true, filter })
  }
  return { folder, bin: join(folder, 'node_modules', '.bin') }
}
