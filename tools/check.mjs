/**
 * `npm run check [step …]`: everything about the tree that is not a test. Every step runs, also
 * after one that failed; the exit code tells whether all passed.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { binOf, node24, root, toolEnv } from './lib/folders.mjs'
import { packInto, scratchFolder } from './lib/pack.mjs'

const scratch = scratchFolder('check')
let packed
/** publint and attw look at what a release would hold; both want the same tarball. */
const tarball = () => (packed ??= packInto(scratch)).tarball

const tool = (script, ...args) => ({ command: node24, args: [`tools/${script}`, ...args] })
const bin = (folder, name, ...args) => ({ command: binOf(folder, name), args })

/** `show`: print the output of a step that passed, too. */
const steps = {
  // First: the runtime suite imports the package as users do, so lint and types need its declarations.
  build: () => tool('build.mjs'),
  format: () => bin('lint', 'prettier', '--check', '.'),
  lint: () => tool('lint.mjs'),
  'lint-rules': () => tool('check-lint.test.mjs'),
  types: () => tool('check-types.mjs'),
  layers: () => tool('check-layers.mjs'),
  'layer-rules': () => tool('check-layers.test.mjs'),
  exports: () => tool('check-exports.mjs'),
  'worker-types': () => tool('check-worker-types.mjs'),
  examples: () => tool('examples.mjs'),
  docs: () => tool('check-docs.mjs'),
  words: () => ({ ...tool('words.mjs'), show: true }),
  'word-rules': () => ({ ...tool('check-words.test.mjs'), show: true }),
  'config-schema': () => tool('config-schema.mjs', '--check'),
  reference: () => tool('reference.mjs', '--check'),
  kit: () => tool('kit.mjs', '--check'),
  size: () => ({ ...tool('check-size.mjs'), show: true }),
  ledger: () => ({ command: node24, args: ['bench/ledger/run.mjs', '--check'], show: true }),
  package: () => tool('check-package.mjs'),
  consumer: () => tool('check-consumer.mjs'),
  publint: () => bin('lint', 'publint', 'run', tarball(), '--strict'),
  attw: () => bin('lint', 'attw', tarball(), '--profile', 'esm-only'),
  'deno-publish': () =>
    bin('runtimes/deno', 'deno', 'publish', '--dry-run', '--allow-dirty', '--quiet'),
  'jsr-docs': () => ({ ...tool('check-jsr-docs.mjs'), show: true }),
  'wrangler-dry-run': () =>
    bin('wrangler', 'wrangler', 'deploy', '--dry-run', '--outdir', join(scratch, 'worker')),
}

function runStep(name) {
  const { command, args, show = false } = steps[name]()
  const done = spawnSync(command, args, {
    cwd: root,
    env: toolEnv(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  })
  const passed = done.status === 0
  return { passed, output: show || !passed ? `${done.stdout}${done.stderr}` : '' }
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in steps))
if (unknown.length > 0) {
  console.error(`no such step: ${unknown.join(', ')}; there are ${Object.keys(steps).join(', ')}`)
  process.exit(2)
}

const failed = []
const names = asked.length === 0 ? Object.keys(steps) : asked
for (const name of names) {
  const start = performance.now()
  let result
  try {
    result = runStep(name)
  } catch (error) {
    result = { passed: false, output: String(error) }
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${result.passed ? 'ok    ' : 'FAILED'} ${name.padEnd(18)} ${seconds.padStart(6)} s`)
  if (result.output.trim() !== '') console.log(result.output.trimEnd())
  if (!result.passed) failed.push(name)
}
if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`)
console.log(`check: ${names.length - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length === 0 ? 0 : 1
