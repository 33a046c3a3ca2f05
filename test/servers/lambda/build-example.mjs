/** Builds an example of Lambda over the packed package, as somebody who copied it would. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureFolder, node24, root, run, toolEnv } from '../../../tools/lib/folders.mjs'
import { installInto, scratchFolder } from '../../../tools/lib/pack.mjs'

/**
 * @param {string} name of the folder in examples/
 * @returns the folder with the bundles in `dist`, and the functions of this lane beside them
 */
export function buildExample(name = 'lambda') {
  if (run(node24, ['tools/build.mjs']) !== 0) throw new Error('the build failed')
  const example = ensureFolder(`../examples/${name}`)
  const folder = scratchFolder(name)
  const modules = join(folder, 'node_modules')
  mkdirSync(modules)
  for (const dependency of readdirSync(join(example, 'node_modules')))
    symlinkSync(join(example, 'node_modules', dependency), join(modules, dependency))
  installInto(folder)
  for (const part of ['package.json', 'build.mjs', 'src'])
    cpSync(join(example, part), join(folder, part), { recursive: true })
  const env = toolEnv()
  const done = spawnSync(node24, ['build.mjs'], { cwd: folder, env, encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`the example does not build: ${done.stderr}`)
  const functions = fileURLToPath(new URL('functions', import.meta.url))
  cpSync(functions, join(folder, 'functions'), { recursive: true })
  return { folder, dist: join(folder, 'dist'), functions: join(folder, 'functions'), root }
}
