/**
 * Proves the layer rule: plants every import between two folders in a copy of the tree's shape, and
 * sees exactly those refused that the table below does not allow. The table is written out again
 * here, sentence by sentence, so that a slip in tools/lint/layers.cjs shows.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { binOf, node24, root, toolEnv } from './lib/folders.mjs'

const base = 'bytes errors ports runtime'
const sentences = {
  bytes: '',
  errors: '',
  ports: 'bytes errors',
  runtime: 'errors ports',
  kms: base,
  http: base,
  wire: 'bytes errors kms',
  ciphers: `${base} kms type:wire`,
  'credentials/aws': `${base} http ciphers`,
  'credentials/azure': `${base} http ciphers`,
  'credentials/oidc': `${base} http ciphers`,
  'credentials/gcp': `${base} http ciphers credentials/aws`,
  'credentials/vault': `${base} http ciphers credentials/aws`,
  'providers/aws-kms': `${base} kms http credentials/aws`,
  'providers/gcp-kms': `${base} kms http credentials/gcp`,
  'providers/azure-key-vault': `${base} kms http credentials/azure`,
  'providers/vault-transit': `${base} kms http credentials/vault`,
  'providers/local': `${base} kms http ciphers`,
  'data-keys': `${base} kms ciphers wire`,
  envelope: `${base} kms ciphers wire data-keys`,
  resilience: `${base} kms`,
  policy: 'errors kms',
  stack: `${base} kms data-keys envelope resilience`,
  stores: `${base} http credentials/aws`,
  observability: `${base} kms ciphers http`,
  rotation: `${base} kms ciphers wire data-keys envelope http credentials/aws stores`,
  config: 'all',
  testing: 'all',
}
const folders = Object.keys(sentences)
const indexOf = (name) => (name === 'errors' ? 'src/errors.ts' : `src/${name}/index.ts`)

const tree = mkdtempSync(join(tmpdir(), 'edge-kms-layers-'))
const files = new Map()
const planted = []

/**
 * Adds an import to a file of the tree, and whether it must be refused; undefined: do not look.
 *
 * @param {string} from
 * @param {string} to
 * @param {{ refused: boolean | undefined, type?: boolean, specifier?: string }} options
 */
function plant(from, to, { refused, type = false, specifier }) {
  const path = specifier ?? `${'../'.repeat(from.split('/').length - 1)}${to}`
  const line = type
    ? `import type { Shape } from '${path}'\nexport type T = Shape`
    : `import '${path}'`
  files.set(from, `${files.get(from) ?? ''}${line}\n`)
  if (refused !== undefined) planted.push({ from, to, refused })
}

function plantFolders() {
  for (const name of folders) files.set(indexOf(name), 'export interface Shape { a: 1 }\n')
  for (const from of folders) {
    const allowed = new Set(sentences[from].split(' '))
    for (const to of folders) {
      if (from === to) continue
      const value = allowed.has('all') || allowed.has(to)
      const file = (kind) =>
        from === 'errors' ? 'src/errors.ts' : `src/${from}/${kind}-${to.replace('/', '-')}.ts`
      if (from === 'errors') {
        plant(file('value'), indexOf(to), { refused: !value })
        continue
      }
      plant(file('value'), indexOf(to), { refused: !value })
      const asType = value || allowed.has(`type:${to}`)
      plant(file('type'), indexOf(to), { refused: !asType, type: true })
    }
  }
}

function plantTheRest(exported) {
  // The root index: any folder but providers, config, stores, testing.
  const barred = /^(providers\/.*|config|stores|testing)$/
  for (const to of folders) plant('src/index.ts', indexOf(to), { refused: barred.test(to) })
  plant('src/envelope/root.ts', 'src/index.ts', { refused: true })
  // Adapters: public indexes of src, and of each other gateway and node only.
  for (const name of ['gateway', 'node', 'workers', 'deno', 'cli', 'fakes'])
    files.set(`adapters/${name}/index.ts`, 'export interface Shape { a: 1 }\n')
  for (const to of exported) plant('adapters/cli/public.ts', to, { refused: false })
  files.set('src/envelope/inner.ts', 'export interface Shape { a: 1 }\n')
  plant('adapters/cli/inner.ts', 'src/envelope/inner.ts', { refused: true })
  plant('adapters/cli/inner-type.ts', 'src/envelope/inner.ts', { refused: true, type: true })
  plant('adapters/cli/folder.ts', indexOf('wire'), { refused: true })
  plant('adapters/objects/aws.ts', indexOf('credentials/aws'), { refused: false })
  plant('adapters/objects/folder.ts', indexOf('wire'), { refused: true })
  plant('adapters/cli/aws.ts', indexOf('credentials/aws'), { refused: true })
  plant('adapters/cli/gateway.ts', 'adapters/gateway/index.ts', { refused: false })
  plant('adapters/cli/node.ts', 'adapters/node/index.ts', { refused: false })
  plant('adapters/cli/workers.ts', 'adapters/workers/index.ts', { refused: true })
  // Every adapter: the indexes of base and http, and nothing else of those folders.
  for (const name of ['bytes', 'errors', 'checks', 'ports', 'runtime', 'http'])
    plant('adapters/cli/base.ts', name === 'errors' ? 'src/errors.ts' : indexOf(name), {
      refused: false,
    })
  plant('adapters/cli/policy.ts', indexOf('policy'), { refused: false })
  plant('adapters/cli/inner-policy.ts', 'src/policy/inner.ts', { refused: true })
  files.set('src/policy/inner.ts', 'export interface Shape { a: 1 }\n')
  files.set('src/checks/index.ts', 'export interface Shape { a: 1 }\n')
  files.set('src/bytes/inner.ts', 'export interface Shape { a: 1 }\n')
  plant('adapters/cli/inner-bytes.ts', 'src/bytes/inner.ts', { refused: true })
  // The fakes: also the contract suites; no adapter.
  plant('adapters/fakes/testing.ts', indexOf('testing'), { refused: false })
  plant('adapters/cli/testing.ts', indexOf('testing'), { refused: true })
  plant('adapters/fakes/folder.ts', indexOf('wire'), { refused: true })
  plant('adapters/fakes/node.ts', 'adapters/node/index.ts', { refused: true })
  plant('adapters/cli/fakes.ts', 'adapters/fakes/index.ts', { refused: true })
  plant('src/config/adapter.ts', 'adapters/node/index.ts', { refused: true })
  // Folders that have no layer, tests and tools.
  files.set('src/elsewhere/index.ts', 'export interface Shape { a: 1 }\n')
  plant('src/config/elsewhere.ts', 'src/elsewhere/index.ts', { refused: true })
  plant('src/elsewhere/bytes.ts', indexOf('bytes'), { refused: true })
  files.set('test/support.ts', 'export interface Shape { a: 1 }\n')
  plant('src/testing/support.ts', 'test/support.ts', { refused: true })
  // Node's modules and npm packages.
  const fs = { specifier: 'node:fs' }
  plant('src/testing/fs.ts', 'fs', { ...fs, refused: true })
  plant('adapters/workers/fs.ts', 'fs', { ...fs, refused: true })
  plant('adapters/node/fs.ts', 'fs', { ...fs, refused: false })
  const npm = (from, name, refused) => {
    const to = `node_modules/${name}/index.js`
    files.set(`node_modules/${name}/package.json`, `{"name":"${name}","main":"index.js"}`)
    files.set(to, '')
    plant(from, to, { specifier: name, refused })
  }
  npm('src/config/zod.ts', 'zod', false)
  npm('src/envelope/zod.ts', 'zod', true)
  npm('adapters/gateway/hono.ts', 'hono', false)
  npm('adapters/otel/api.ts', '@opentelemetry/api', false)
  npm('src/observability/api.ts', '@opentelemetry/api', true)
  npm('src/http/hono.ts', 'hono', true)
  const workerd = { specifier: 'cloudflare:workers' }
  plant('adapters/workers/entrypoint/platform.ts', 'cloudflare:workers', {
    ...workerd,
    refused: false,
  })
  plant('adapters/workers/secret.ts', 'cloudflare:workers', { ...workerd, refused: true })
  npm('adapters/workers/hono.ts', 'hono', true)
  npm('src/credentials/aws/aws4fetch.ts', 'aws4fetch', false)
  npm('adapters/node/aws4fetch.ts', 'aws4fetch', false)
  npm('src/stores/aws4fetch.ts', 'aws4fetch', true)
  npm('src/credentials/gcp/jose.ts', 'jose', false)
  npm('src/ciphers/jose.ts', 'jose', true)
  npm('src/testing/unknown.ts', 'some-other-package', true)
  plant('src/testing/missing.ts', './missing-file.ts', {
    specifier: './missing-file.ts',
    refused: true,
  })
  // Cycles, also of types alone; each is reported once, at the file that sorts first.
  for (const { folder, type } of [
    { folder: 'resilience', type: false },
    { folder: 'rotation', type: true },
  ]) {
    const [a, b] = [`src/${folder}/a.ts`, `src/${folder}/b.ts`]
    plant(a, b, { specifier: './b.ts', type, refused: true })
    plant(b, a, { specifier: './a.ts', type, refused: undefined })
  }
}

function violations() {
  const args = [
    '--config',
    join(root, 'tools/lint/layers.cjs'),
    '--output-type',
    'json',
    'src',
    'adapters',
  ]
  const done = spawnSync(node24, [binOf('lint', 'depcruise'), ...args], {
    cwd: tree,
    env: toolEnv(),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (done.stdout === '') throw new Error(`dependency-cruiser said: ${done.stderr}`)
  return JSON.parse(done.stdout).summary.violations
}

try {
  const denoConfig = readFileSync(join(root, 'deno.json'), 'utf8')
  const exported = Object.values(JSON.parse(denoConfig).exports)
    .map(String)
    .filter((path) => path.startsWith('./src/'))
    .map((path) => path.slice('./'.length))
  plantFolders()
  plantTheRest(exported)
  files.set('package.json', JSON.stringify({ name: 'edge-kms', type: 'module' }))
  files.set('deno.json', denoConfig)
  files.set('tsconfig.json', readFileSync(join(root, 'tsconfig.json'), 'utf8'))
  for (const [path, text] of files) {
    mkdirSync(dirname(join(tree, path)), { recursive: true })
    writeFileSync(join(tree, path), text)
  }

  const seen = violations()
  let failed = 0
  for (const { from, to, refused } of planted) {
    const rules = seen.filter((v) => v.from === from && v.to === to).map((v) => v.rule.name)
    if (rules.length > 0 === refused) continue
    failed++
    // One slip can break hundreds of pairs; the first few tell which.
    if (failed > 20) continue
    console.log(
      `FAILED ${from} -> ${to}: ${refused ? 'was let through' : `refused by ${rules.join(', ')}`}`,
    )
  }
  const counted = planted.length - failed
  console.log(`layers: ${String(counted)} passed, ${String(failed)} failed`)
  process.exitCode = failed === 0 ? 0 : 1
} finally {
  rmSync(tree, { recursive: true, force: true })
}
