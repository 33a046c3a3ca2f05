/** AWS's runtime interface client, which runs functions in Lambda's Node images. Its install compiles C++. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { ensureFolder } from '../lib/folders.mjs'
import { MissingError } from './missing.mjs'

/** A command of each package that the install needs. */
const needed = {
  cmake: 'cmake',
  'g++': 'g++',
  make: 'make',
  autoconf: 'autoconf',
  automake: 'automake',
  libtool: 'libtoolize',
}

const missing = () =>
  Object.entries(needed)
    .filter(([, command]) => spawnSync(command, ['--version']).status !== 0)
    .map(([name]) => name)

/** Only a machine of CI's is ours to install on. */
function installMissing() {
  if (process.env['CI'] !== 'true' || process.getuid?.() !== 0) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-qq'], { env })
  spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing()], { env })
}

/**
 * Installs it once.
 *
 * @returns {string} the module to start Node with
 * @throws MissingError with what the machine lacks
 */
export function lambdaRic() {
  if (missing().length > 0) installMissing()
  const lacks = missing()
  if (lacks.length > 0)
    throw new MissingError(`aws-lambda-ric compiles on install: apt-get install ${lacks.join(' ')}`)
  return join(ensureFolder('runtimes/lambda-ric'), 'node_modules', 'aws-lambda-ric', 'index.mjs')
}
