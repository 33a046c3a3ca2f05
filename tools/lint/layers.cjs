/**
 * The layer rule: what each folder may import. One entry per sentence of "Layers" in
 * docs/architecture/layers.md; `tools/check-layers.test.mjs` plants a forbidden import for each and sees it
 * refused. Everything is an allow list: a folder without an entry may import nothing and may be
 * imported by nobody. Type imports count, except where an entry says `types`.
 */
const { readFileSync } = require('node:fs')
const { join } = require('node:path')

const base = ['bytes', 'errors', 'checks', 'ports', 'runtime']

/** `may`: anything of these. `types`: `import type` only. A name ending in `/` is a folder of folders. */
const layers = {
  errors: { may: [] },
  checks: { may: ['errors'] },
  bytes: { may: ['checks'] },
  ports: { may: ['bytes', 'errors'] },
  runtime: { may: ['errors', 'ports'] },
  kms: { may: base },
  http: { may: base },
  // kms is types and the canonical encoding of a context, which a parser must check against.
  wire: { may: ['bytes', 'errors', 'checks', 'kms'] },
  ciphers: { may: [...base, 'kms'], types: ['wire'] },
  'credentials/aws': { may: [...base, 'http', 'ciphers'] },
  'credentials/gcp': { may: [...base, 'http', 'ciphers', 'credentials/aws'] },
  'credentials/azure': { may: [...base, 'http', 'ciphers'] },
  'credentials/vault': { may: [...base, 'http', 'ciphers', 'credentials/aws'] },
  'credentials/oidc': { may: [...base, 'http', 'ciphers'] },
  'providers/local': { may: [...base, 'kms', 'http', 'ciphers'] },
  'providers/aws-kms': { may: [...base, 'kms', 'http', 'credentials/aws'] },
  'providers/gcp-kms': { may: [...base, 'kms', 'http', 'credentials/gcp'] },
  'providers/azure-key-vault': { may: [...base, 'kms', 'http', 'credentials/azure'] },
  'providers/vault-transit': { may: [...base, 'kms', 'http', 'credentials/vault'] },
  'data-keys': { may: [...base, 'kms', 'ciphers', 'wire'] },
  envelope: { may: [...base, 'kms', 'ciphers', 'wire', 'data-keys'] },
  policy: { may: ['errors', 'checks', 'kms'] },
  resilience: { may: [...base, 'kms'] },
  // A whole stack, of providers that are handed in.
  stack: { may: [...base, 'kms', 'data-keys', 'envelope', 'resilience'] },
  stores: { may: [...base, 'http', 'credentials/aws'] },
  observability: { may: [...base, 'kms', 'ciphers', 'http'] },
  rotation: {
    may: [
      ...base,
      'kms',
      'ciphers',
      'wire',
      'data-keys',
      'envelope',
      'http',
      'credentials/aws',
      'stores',
    ],
  },
}

/** These may import all of src. */
const free = ['config', 'testing']

/** npm packages: who may import which. */
const packages = {
  aws4fetch: '^(src/credentials/aws|adapters/node)/',
  jose: '^src/credentials/',
  zod: '^(src/config|adapters/gateway)/',
  hono: '^adapters/gateway/',
  '@opentelemetry/api': '^adapters/otel/',
}

/** Adapters that stand on a platform with Node's own modules. */
const onNode = ['node', 'cli', 'lambda', 'google-cloud-kms']

const pathOf = (name) => (name === 'errors' ? '^src/errors\\.ts$' : `^src/${name}/`)
const anyOf = (names) => names.map(pathOf)
const known = [...Object.keys(layers), ...free]
const inRepo = '^(src|adapters)/'

const layerRules = Object.entries(layers).flatMap(([name, { may, types = [] }]) => [
  {
    name: `layer-${name.replace('/', '-')}`,
    severity: 'error',
    comment: `${name} may import: ${[...may, ...types.map((type) => `types of ${type}`)].join(', ') || 'nothing'}`,
    from: { path: pathOf(name) },
    to: { path: inRepo, pathNot: [pathOf(name), ...anyOf(may), ...anyOf(types)] },
  },
  ...types.map((type) => ({
    name: `layer-${name.replace('/', '-')}-types-of-${type}`,
    severity: 'error',
    comment: `${name} may import types of ${type}, and nothing that runs`,
    from: { path: pathOf(name) },
    to: { path: pathOf(type), dependencyTypesNot: ['type-only'] },
  })),
])

/** The public indexes of src are the sources of the subpaths, as deno.json names them. */
const denoConfig = JSON.parse(readFileSync(join(process.cwd(), 'deno.json'), 'utf8'))
const publicIndexes = Object.values(denoConfig.exports)
  .filter((path) => path.startsWith('./src/'))
  .map((path) => `^${path.slice('./'.length).replaceAll('.', '\\.')}$`)

/** The base of every layer, adapters too: option checks, bounded waits, bytes, JSON of an answer. */
const adapterHelpers = [
  '^src/errors\\.ts$',
  ...['bytes', 'checks', 'ports', 'runtime', 'http'].map((name) => `^src/${name}/index\\.ts$`),
  '^src/config/check-config\\.ts$',
  '^src/policy/index\\.ts$',
  '^src/rotation/sources/index\\.ts$',
]

const adapterRules = [
  {
    name: 'adapters-use-public-indexes',
    severity: 'error',
    comment:
      'adapters import the public indexes of src, which are those that deno.json exports, and the indexes of base and http; fakes also that of testing',
    from: { path: '^adapters/', pathNot: '^adapters/objects/' },
    to: {
      path: '^src/',
      pathNot: [...publicIndexes, ...adapterHelpers, '^src/testing/index\\.ts$'],
    },
  },
  {
    name: 'objects-uses-public-indexes',
    severity: 'error',
    comment: 'objects also imports the index of credentials/aws, which signs for S3',
    from: { path: '^adapters/objects/' },
    to: {
      path: '^src/',
      pathNot: [...publicIndexes, ...adapterHelpers, '^src/credentials/aws/index\\.ts$'],
    },
  },
  {
    name: 'adapters-use-gateway-and-node-only',
    severity: 'error',
    comment: 'of each other, adapters import only gateway and node',
    from: { path: '^adapters/([^/]+)/' },
    to: { path: '^adapters/', pathNot: ['^adapters/$1/', '^adapters/(gateway|node)/'] },
  },
  {
    name: 'fakes-use-no-adapter',
    severity: 'error',
    from: { path: '^adapters/fakes/' },
    to: { path: '^adapters/', pathNot: '^adapters/fakes/' },
  },
]

const rootRules = [
  {
    name: 'root-index',
    severity: 'error',
    comment: 'src/index.ts re-exports any folder but the providers, config, stores and testing',
    from: { path: '^src/index\\.ts$' },
    to: { path: ['^src/(providers|config|stores|testing)/', '^adapters/'] },
  },
  {
    name: 'nobody-imports-the-root-index',
    severity: 'error',
    comment: 'inside src, only what may import all of src may import the root index',
    from: { path: '^src/', pathNot: anyOf(free) },
    to: { path: '^src/index\\.ts$' },
  },
  {
    name: 'src-imports-src',
    severity: 'error',
    comment: 'src knows no adapter, no test and no tool',
    from: { path: '^src/' },
    to: { path: '^(adapters|test|tools|bench|examples|dist)/' },
  },
  {
    name: 'adapters-know-no-tests',
    severity: 'error',
    from: { path: '^adapters/' },
    to: { path: '^(test|tools|bench|examples|dist)/' },
  },
  {
    name: 'folder-without-a-layer',
    severity: 'error',
    comment: 'a folder of src that is not in tools/lint/layers.cjs',
    from: { path: '^src/', pathNot: [...anyOf(known), '^src/index\\.ts$'] },
    to: {},
  },
  {
    name: 'import-of-a-folder-without-a-layer',
    severity: 'error',
    from: {},
    to: { path: '^src/', pathNot: [...anyOf(known), '^src/index\\.ts$'] },
  },
  {
    name: 'testing-is-for-tests',
    severity: 'error',
    comment: 'of the adapters, only the fakes carry the contract suites',
    from: { path: '^adapters/', pathNot: '^adapters/fakes/' },
    to: { path: '^src/testing/' },
  },
]

const outsideRules = [
  {
    name: 'no-cycles',
    severity: 'error',
    comment: 'type imports included',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-node-builtins',
    severity: 'error',
    comment: 'src is platform neutral; of the adapters only those for Node may use its modules',
    from: { path: inRepo, pathNot: `^adapters/(${onNode.join('|')})/` },
    to: { dependencyTypes: ['core'] },
  },
  {
    name: 'resolvable',
    severity: 'error',
    comment: 'what cannot be resolved cannot be checked',
    from: { path: inRepo },
    to: { couldNotResolve: true, pathNot: '^cloudflare:workers$' },
  },
  {
    name: 'modules-of-workerd',
    severity: 'error',
    comment:
      'no other runtime loads a file that imports them: only the entrypoint, a subpath of its own',
    from: { pathNot: '^adapters/workers/entrypoint/' },
    to: { path: '^cloudflare:' },
  },
  {
    name: 'npm-packages-by-name',
    severity: 'error',
    comment: `the only npm packages are ${Object.keys(packages).join(', ')}`,
    from: { path: inRepo },
    to: {
      path: 'node_modules',
      pathNot: Object.keys(packages).map((name) => `(^|/)node_modules/${name}/`),
    },
  },
  ...Object.entries(packages).map(([name, users]) => ({
    name: `npm-${name}`,
    severity: 'error',
    comment: `${name} is imported in ${users} only`,
    from: { path: inRepo, pathNot: users },
    to: { path: `(^|/)node_modules/${name}/` },
  })),
]

module.exports = {
  forbidden: [...layerRules, ...adapterRules, ...rootRules, ...outsideRules],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'default'],
      extensions: ['.ts', '.d.ts', '.mjs', '.js'],
    },
  },
}
