/**
 * Every `ts` block of the Markdown files and of the TSDoc comments compiles against the built
 * package, and a block with `run=` on its fence runs: on Node or Deno it must print what the comments
 * behind its `console.log` lines say; a Worker or a Lambda handler must encrypt and decrypt a text.
 *
 * Needs `dist`: `npm run check:examples` builds first.
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { blocksOf, documents } from './lib/doc-blocks.mjs'
import { binOf, ensureFolder, node24, root, toolEnv } from './lib/folders.mjs'
import { scratchFolder } from './lib/pack.mjs'

/** A key for the examples that take theirs from the environment; no data is behind it. */
const KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')
const TEXT = '4111 1111'
/** AWS's own search for credentials, in docs/guides/aws-profiles.md. */
const PROFILES = '@aws-sdk/credential-providers'
const DATE = '2026-07-30'
/** Those of docs/guides/rotation-engines.md. */
const ENGINES = ['@aws/durable-execution-sdk-js', '@temporalio/workflow', 'bullmq']

/** The part of Deno that the examples use, for a compiler that does not know it. */
const DENO = join(root, 'tools/runtimes/deno/globals.d.ts')
const DENO_TYPES = 'deno.d.ts'

const scratch = scratchFolder('examples')
const problems = []
let passed = 0

function settle(block, failures) {
  const place = `${block.document}:${block.line}`
  if (failures.length === 0) passed++
  else problems.push(...failures.map((text) => `${place}: ${text}`))
}

/** A folder that sees the package as a user's project does, and what the examples may use. */
function prepare() {
  const link = (name, target) => {
    const path = join(scratch, 'node_modules', name)
    mkdirSync(dirname(path), { recursive: true })
    symlinkSync(target, path, 'dir')
  }
  link('edge-kms', root)
  for (const name of ['@opentelemetry/api', '@types/node', 'hono', 'vitest'])
    link(name, join(root, 'node_modules', name))
  link(PROFILES, join(ensureFolder('clients/aws'), 'node_modules', PROFILES))
  const clients = join(ensureFolder('clients/gcp'), 'node_modules')
  link('@google-cloud/kms', join(clients, '@google-cloud/kms'))
  const engines = join(ensureFolder('engines'), 'node_modules')
  for (const name of ENGINES) link(name, join(engines, name))
  const dependencies = { 'edge-kms': '*', vitest: '*' }
  const write = (name, value) => writeFileSync(join(scratch, name), JSON.stringify(value))
  write('package.json', { name: 'examples', private: true, type: 'module', dependencies })
  write('deno.json', { nodeModulesDir: 'manual' })
  copyFileSync(DENO, join(scratch, DENO_TYPES))
}

/** The compiler options of a careful user; `types` for the examples on Node. */
const compilerOptions = {
  target: 'ES2023',
  lib: ['ES2023', 'ESNext.Disposable', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable'],
  module: 'NodeNext',
  moduleDetection: 'force',
  types: ['node'],
  noEmit: true,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  isolatedModules: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  skipLibCheck: true,
}

/** Compiles all blocks at once; a line of a block is the line of its document. */
function compile(blocks) {
  for (const block of blocks) {
    writeFileSync(join(scratch, block.file), '\n'.repeat(block.line) + block.code)
  }
  const config = { compilerOptions, files: [DENO_TYPES, ...blocks.map(({ file }) => file)] }
  writeFileSync(join(scratch, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const done = spawnSync(tsc, ['-p', scratch, '--pretty', 'false'], {
    cwd: scratch,
    env: toolEnv(),
    encoding: 'utf8',
  })
  const failures = new Map(blocks.map((block) => [block, []]))
  for (const line of done.stdout.split('\n').filter((text) => text !== '')) {
    const match = /^(?:.*\/)?([^/(]+\.ts)\((\d+),\d+\): error (.*)$/.exec(line)
    const [, file, number, text] = match ?? []
    const block = blocks.find((candidate) => candidate.file === file)
    if (block !== undefined) failures.get(block).push(`line ${number}: ${text}`)
    else if (!line.startsWith(' ')) problems.push(line)
  }
  if (done.status !== 0 && [...failures.values()].every((found) => found.length === 0)) {
    problems.push(`tsc ended with ${done.status}: ${done.stderr}`)
  }
  return failures
}

/** Returns the comments behind `console.log` lines, one line for each. */
const promised = (code) =>
  [...code.matchAll(/^[^\n]*console\.log\([^\n]*\) \/\/ ([^\n]*)$/gm)].map(([, text]) => text)

function runProcess(block, command, args) {
  const expected = promised(block.code)
  if (expected.length === 0) return ['it runs, but says of no line what it prints']
  const done = spawnSync(command, [...args, join(scratch, block.file)], {
    cwd: scratch,
    env: { ...toolEnv(), EDGE_KMS_KEY_V1: KEY },
    encoding: 'utf8',
  })
  if (done.status !== 0) return [`ended with ${done.status}: ${done.stderr.trim()}`]
  const printed = done.stdout.trimEnd().split('\n')
  return printed.join('\n') === expected.join('\n')
    ? []
    : [`printed ${JSON.stringify(printed)}, says ${JSON.stringify(expected)}`]
}

/** `send(path, body)` gives the body of the answer, text or bytes; there and back must be the same. */
async function roundTrip(send) {
  const textOf = (body) => (typeof body === 'string' ? body : Buffer.from(body).toString('latin1'))
  const sealed = await send('/encrypt', TEXT)
  if (textOf(sealed).includes(TEXT)) return ['/encrypt answers with the plaintext']
  const back = textOf(await send('/decrypt', sealed))
  return back === TEXT ? [] : [`/decrypt answers ${back}`]
}

async function runWorker(block) {
  const bundle = await build({
    entryPoints: [join(scratch, block.file)],
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    write: false,
    logLevel: 'error',
  })
  const worker = new Miniflare({
    modules: true,
    script: bundle.outputFiles[0].text,
    compatibilityDate: DATE,
    bindings: { EDGE_KMS_KEY_V1: KEY },
  })
  try {
    return await roundTrip(async (path, body) => {
      const answer = await worker.dispatchFetch(`http://worker${path}`, { method: 'POST', body })
      return answer.arrayBuffer()
    })
  } finally {
    await worker.dispose()
  }
}

async function runLambda(block) {
  process.env['EDGE_KMS_KEY_V1'] = KEY
  const { handler } = await import(pathToFileURL(join(scratch, block.file)).href)
  return roundTrip(async (rawPath, body) => (await handler({ rawPath, body })).body)
}

/** @type {Record<string, (block: any) => string[] | Promise<string[]>>} */
const runners = {
  node: (block) => runProcess(block, node24, []),
  deno: (block) =>
    runProcess(block, binOf('runtimes/deno', 'deno'), [
      'run',
      '--allow-env=EDGE_KMS_KEY_V1',
      '--no-check',
    ]),
  worker: runWorker,
  lambda: runLambda,
}

async function runBlock(block) {
  const runner = runners[block.run]
  if (runner === undefined) return [`no such runtime: ${block.run}`]
  try {
    return await runner(block)
  } catch (error) {
    return [String(error)]
  }
}

if (!existsSync(join(root, 'dist'))) {
  console.error('dist is missing: npm run build')
  process.exit(1)
}
prepare()
const blocks = documents(['src', 'adapters']).flatMap(blocksOf)
const failures = compile(blocks)
const ran = []
for (const block of blocks) {
  const found = failures.get(block)
  if (found.length === 0 && block.run !== undefined) {
    found.push(...(await runBlock(block)))
    ran.push(`${block.document}:${block.line} on ${block.run}`)
  }
  settle(block, found)
}

// Controls: the compiler sees the package, and a run that prints something else is noticed.
const control = { document: 'control', file: 'control.ts', line: 1, run: 'node' }
const wrong = {
  ...control,
  code: "import { NotThere } from 'edge-kms'\nconsole.log(NotThere) // 1\n",
}
if (compile([wrong]).get(wrong).length === 0) problems.push('tsc does not notice a wrong import')
const lies = { ...control, code: 'console.log(1) // 2\n' }
compile([lies])
if ((await runBlock(lies)).length === 0) problems.push('a wrong print is not noticed')

for (const place of ran) console.log(`ran ${place}`)
for (const problem of problems) console.log(problem)
console.log(`examples: ${passed} passed, ${problems.length} failed`)
process.exitCode = problems.length === 0 ? 0 : 1
