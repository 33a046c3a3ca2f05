/** Lints what exists of the folders that hold code; further arguments go to eslint (`--fix`). */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { binOf, ensureFolder, root, run } from './lib/folders.mjs'

const places = [
  'src',
  'adapters',
  'test',
  'tools',
  'bench',
  'examples',
  'docs/.vitepress',
  'vitest.config.ts',
]
const present = places.filter((place) => existsSync(join(root, place)))
const flags = ['--config', 'tools/lint/eslint.config.mjs', '--max-warnings', '0']
ensureFolder('../examples/lambda') // its types
ensureFolder('../docs')
ensureFolder('../examples/workers')
ensureFolder('../examples/node')
for (const name of ['node', 'workers', 'lambda']) ensureFolder(`../examples/rotation-${name}`)
// A folder may hold nothing to lint yet.
flags.push('--no-error-on-unmatched-pattern')
process.exit(run(binOf('lint', 'eslint'), [...flags, ...present, ...process.argv.slice(2)]))
