/** Type-checks src, each adapter, each example, the tests and the tools: one program each. */
import { existsSync, globSync } from 'node:fs'
import { join } from 'node:path'
import { ensureFolder, root, run } from './lib/folders.mjs'

const projects = [
  'tsconfig.json',
  ...globSync('{adapters,examples}/*/tsconfig.json', { cwd: root }).sort(),
  'test/tsconfig.json',
  'tools/tsconfig.json',
].filter((path) => existsSync(join(root, path)))
const asked = process.argv.slice(2)
const tsc = join(root, 'node_modules', '.bin', 'tsc')

// The linter's configuration is checked too.
ensureFolder('lint')

let failed = 0
for (const project of asked.length === 0 ? projects : asked) {
  const code = run(tsc, ['-p', project, '--noEmit'])
  console.log(`${code === 0 ? 'ok' : 'FAILED'} ${project}`)
  if (code !== 0) failed++
}
process.exit(failed === 0 ? 0 : 1)
