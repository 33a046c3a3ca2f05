/** Folders with the packed package, as somebody has it who ran `npm install` on the tarball. */
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../../../tools/lib/folders.mjs'
import { installInto, scratchFolder } from '../../../tools/lib/pack.mjs'

const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** A folder with the tarball, and what npm would install beside it. */
export function openFolder() {
  const folder = scratchFolder('deno')
  for (const name of Object.keys(dependencies)) {
    const path = join(folder, 'node_modules', name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), path)
  }
  installInto(folder)
  cpSync(join(root, 'examples/deno/package.json'), join(folder, 'package.json'))
  return folder
}

/** The same with examples/deno as it is. */
export function openExample() {
  const folder = openFolder()
  const isOurs = (/** @type {string} */ path) => !/\/node_modules$|\.sqlite/.test(path)
  cpSync(join(root, 'examples/deno'), folder, { recursive: true, filter: isOurs })
  return folder
}

/** A fresh clone: no build, nothing installed. */
export function openClone() {
  const folder = scratchFolder('clone')
  for (const name of ['src', 'adapters', 'deno.json', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true })
  return folder
}
