/** Type-checks src, each adapter, each example, the tests and the tools: one program each. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureFolder, root, run } from './lib/folders.mjs'

/** The folders in one place that are programs of their own. */
const programsIn = (place) =>
  existsSync(join(root, place))
    ? readdirSync(join(root, place)).map((name) => `${place}/${name}/tsconfig.json`)
    : []

const projects = [
  'tsconfig.json',
  ...programsIn('adapters'),
  ...programsIn('examples'),
  'test/tsconfig.json',
  'tools/tsconfig.json',
  'tools/runtimes/deno/tsconfig.json',
].filter((path) => existsSync(join(root, path)))
const asked = process.argv.slice(2)
const tsc = join(root, 'node_modules', '.bin', 'tsc')

// The linter's configuration is checked too, and the examples have types of their own.
ensureFolder('lint')
ensureFolder('../docs')
ensureFolder('../examples/lambda')
ensureFolder('../examples/workers')
ensureFolder('../examples/node')
for (const name of ['node', 'workers', 'lambda']) ensureFolder(`../examples/rotation-${name}`)

let failed = 0
for (const project of asked.length === 0 ? projects : asked) {
  const code = run(tsc, ['-p', project, '--noEmit'])
  console.log(`${code === 0 ? 'ok' : 'FAILED'} ${project}`)
  if (code !== 0) failed++
}
process.exit(failed === 0 ? 0 : 1)
