/**
 * Every subpath: package.json and deno.json have it, one pointing to the build and one to the source,
 * their names, versions and dependencies agree, and importing it in Node does nothing: no timer, no random
 * number, no clock, no network, no environment. The names in docs/from-the-specification.md exist.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { node24, root, toolEnv } from './lib/folders.mjs'
import { specificationProblems } from './lib/specification.mjs'
import { subpaths } from './lib/subpaths.mjs'

const readJson = (path) => JSON.parse(readFileSync(join(root, path), 'utf8'))

/** Runs in a child: every way to the outside throws before the module is loaded. */
const probe = (specifier) => `
  // Node's own modules look at the environment when they are first loaded; that is not ours.
  await import('node:http')
  const ban = (object, name) => {
    Object.defineProperty(object, name, {
      configurable: true,
      writable: true,
      value: () => { throw new Error('import calls ' + name) },
    })
  }
  for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch'])
    ban(globalThis, name)
  ban(Date, 'now')
  ban(Math, 'random')
  ban(performance, 'now')
  ban(AbortSignal, 'timeout')
  for (const name of ['getRandomValues', 'randomUUID']) ban(Object.getPrototypeOf(crypto), name)
  const subtle = Object.getPrototypeOf(crypto.subtle)
  for (const name of Object.getOwnPropertyNames(subtle))
    if (name !== 'constructor') ban(subtle, name)
  const NativeDate = Date
  globalThis.Date = new Proxy(NativeDate, {
    construct(target, args) {
      if (args.length === 0) throw new Error('import reads the clock')
      return new target(...args)
    },
    apply() { throw new Error('import reads the clock') },
  })
  Object.defineProperty(process, 'env', {
    value: new Proxy({}, {
      get(_, name) {
        // Node's own loader looks here; at the second one where a module names its source map.
        if (name === 'WATCH_REPORT_DEPENDENCIES' || name === 'NODE_V8_COVERAGE') return undefined
        throw new Error('import reads env ' + String(name))
      },
    }),
  })
  const before = process.getActiveResourcesInfo().length
  const module = await import(${JSON.stringify(specifier)})
  if (process.getActiveResourcesInfo().length > before) throw new Error('import leaves work behind')
  if (Object.keys(module).length === 0) throw new Error('exports nothing')
  if ('default' in module) throw new Error('has a default export')
`

/** Subpaths that import a module which only workerd has: no other runtime loads them. */
const onWorkersOnly = ['./workers/entrypoint']
/** Stands in for that module, so that the import of ours can be watched here too. */
const standIn = `
  const { registerHooks } = await import('node:module')
  const waitUntil = '() => { throw new Error("import calls waitUntil") }'
  const source = 'export class WorkerEntrypoint {}; export const waitUntil = ' + waitUntil
  const url = 'data:text/javascript,' + encodeURIComponent(source)
  registerHooks({
    resolve: (name, context, next) =>
      name === 'cloudflare:workers' ? { url, shortCircuit: true } : next(name, context),
  })
`

function importsQuietly(specifier, before = '') {
  const code = before + probe(specifier)
  const done = spawnSync(node24, ['--input-type=module', '--eval', code], {
    cwd: root,
    env: toolEnv(),
    encoding: 'utf8',
  })
  if (done.status === 0) return []
  const reason = /^\w*Error.*$/m.exec(done.stderr)?.[0] ?? done.stderr.trim().split('\n').at(-1)
  return [`import: ${reason}`]
}

const manifest = readJson('package.json')
const deno = readJson('deno.json')
const problems = []

for (const { subpath, source, name } of subpaths) {
  const found = []
  const entry = { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` }
  // The order counts: a compiler takes the first key that it knows.
  if (JSON.stringify(manifest.exports[subpath]) !== JSON.stringify(entry))
    found.push(`package.json must map it to ${JSON.stringify(entry)}`)
  for (const path of [source, ...Object.values(entry)])
    if (!existsSync(join(root, path))) found.push(`${path} does not exist: build first`)
  const specifier = `${manifest.name}${subpath.slice(1)}`
  const before = onWorkersOnly.includes(subpath) ? standIn : ''
  if (found.length === 0) found.push(...importsQuietly(specifier, before))
  console.log(`${found.length === 0 ? 'ok' : 'FAILED'} ${subpath}`)
  problems.push(...found.map((text) => `${subpath}: ${text}`))
}

problems.push(...(await specificationProblems()))
for (const subpath of Object.keys(manifest.exports).filter((key) => !key.endsWith('.json')))
  if (!(subpath in deno.exports)) problems.push(`deno.json does not export ${subpath}`)
// A script in a clone imports the package by its name, without a build.
for (const { subpath, source } of subpaths) {
  const specifier = `${manifest.name}${subpath.slice(1)}`
  if (deno.imports[specifier] !== source)
    problems.push(`deno.json must import ${specifier} as ${source}`)
}
// JSR has no names without a scope.
if (deno.name !== `@${manifest.name}/${manifest.name}`)
  problems.push(`deno.json must be named @${manifest.name}/${manifest.name}`)
if (deno.version !== manifest.version) problems.push('deno.json has another version')
for (const [name, version] of Object.entries(manifest.dependencies ?? {}))
  if (deno.imports[name] !== `npm:${name}@${version}`)
    problems.push(`deno.json must import ${name} as npm:${name}@${version}`)

// Controls: what the probe must see, so that its silence means something.
const controls = {
  'a timer': 'setTimeout(() => {}, 1)',
  'a random number': 'Math.random()',
  'random bytes': 'crypto.getRandomValues(new Uint8Array(1))',
  'a digest': 'void crypto.subtle.digest("SHA-256", new Uint8Array(1))',
  'the clock': 'new Date()',
  'the network': 'fetch("http://127.0.0.1:9")',
  'the environment': 'process.env.HOME',
}
for (const [what, code] of Object.entries(controls)) {
  const url = `data:text/javascript,${encodeURIComponent(`${code}\nexport const a = 1`)}`
  if (importsQuietly(url).length === 0) problems.push(`the probe does not notice ${what}`)
}
for (const subpath of onWorkersOnly)
  if (importsQuietly(`${manifest.name}${subpath.slice(1)}`).length === 0)
    problems.push(`${subpath} needs no stand-in: check it like the others`)
const quiet = `data:text/javascript,${encodeURIComponent('export const a = new Date(0)')}`
problems.push(...importsQuietly(quiet).map((text) => `the probe refuses a quiet module: ${text}`))

for (const problem of problems) console.log(problem)
process.exitCode = problems.length === 0 ? 0 : 1
