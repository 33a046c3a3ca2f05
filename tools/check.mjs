/**
 * `npm run check [step …]`: everything about the tree that is not a test. Two steps run at a time. Every step runs, also
 * after one that failed; the exit code tells whether all passed.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { binOf, node24, root, toolEnv } from './lib/folders.mjs'
import { packInto, scratchFolder } from './lib/pack.mjs'

const scratch = scratchFolder('check')
let packed
/** publint and attw look at what a release would hold; both want the same tarball. */
const tarball = () => (packed ??= packInto(scratch)).tarball

const tool = (script, ...args) => ({ command: node24, args: [`tools/${script}`, ...args] })
const bin = (folder, name, ...args) => ({ command: binOf(folder, name), args })

/** Steps that run at a time: most of them use one core. */
const AT_ONCE = 2

/** No step writes to the tree but `build`. `show`: print the output of a step that passed, too. */
const steps = {
  // Alone and first: the runtime suite imports the package as users do, so lint and types need its declarations.
  build: () => tool('build.mjs'),
  // The longest begin first.
  lint: () => tool('lint.mjs'),
  format: () => bin('lint', 'prettier', '--check', '.'),
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

async function runStep(name) {
  const { command, args, show = false } = steps[name]()
  const running = spawn(command, args, {
    cwd: root,
    env: toolEnv(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { stdout: '', stderr: '' }
  for (const [stream, of] of Object.entries({ stdout: running.stdout, stderr: running.stderr }))
    of.setEncoding('utf8').on('data', (text) => (texts[stream] += text))
  const code = await new Promise((resolve, reject) => {
    running.on('error', reject)
    running.on('close', resolve)
  })
  const passed = code === 0
  return { passed, output: show || !passed ? `${texts.stdout}${texts.stderr}` : '' }
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in steps))
if (unknown.length > 0) {
  console.error(`no such step: ${unknown.join(', ')}; there are ${Object.keys(steps).join(', ')}`)
  process.exit(2)
}

const failed = []
const names = asked.length === 0 ? Object.keys(steps) : asked

/** Runs a step and prints it when it is done. */
async function take(name) {
  const start = performance.now()
  const result = await runStep(name).catch((/** @type {unknown} */ error) => ({
    passed: false,
    output: String(error),
  }))
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${result.passed ? 'ok    ' : 'FAILED'} ${name.padEnd(18)} ${seconds.padStart(6)} s`)
  if (result.output.trim() !== '') console.log(result.output.trimEnd())
  if (!result.passed) failed.push(name)
}

const [first, ...rest] = names
if (first !== undefined) await take(first)
const worker = async () => {
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) await take(name)
}
await Promise.all(Array.from({ length: AT_ONCE }, worker))
if (failed.length > 0) console.log(`failed: ${failed.join(', ')}`)
console.log(`check: ${names.length - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length === 0 ? 0 : 1
