/**
 * AWS's runtime interface emulator, which a Lambda container runs instead of the service. AWS publishes
 * the binary inside the wheel of aws-sam-cli; its hash is pinned.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MissingError } from './missing.mjs'
import { findPython } from './python.mjs'

const architectures = { x64: 'x86_64', arm64: 'arm64' }
const requirement = fileURLToPath(new URL('constraints/lambda-rie-1.170.0.txt', import.meta.url))
const unpack =
  'import sys, zipfile; w = zipfile.ZipFile(sys.argv[1]); ' +
  'open(sys.argv[3], "wb").write(w.read(sys.argv[2]))'

function install(folder) {
  const architecture = architectures[process.arch]
  if (process.platform !== 'linux' || architecture === undefined)
    throw new MissingError('the Lambda emulator is a program for Linux on x64 and arm64')
  const python = findPython(['3.13', '3.12', '3.11'], 'the Lambda emulator')
  const run = (...args) => {
    const done = spawnSync(python, args, { encoding: 'utf8' })
    if (done.status === 0) return
    const reason = done.stderr.trim().split('\n').slice(-3).join(' | ')
    throw new MissingError(`the Lambda emulator could not be installed: ${reason}`)
  }
  const download = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps']
  run(...download, '--require-hashes', '--dest', folder, '-r', requirement)
  const [wheel = ''] = readdirSync(folder)
  const program = join(folder, 'rie')
  run(
    '-c',
    unpack,
    join(folder, wheel),
    `samcli/local/rapid/aws-lambda-rie-${architecture}`,
    program,
  )
  chmodSync(program, 0o755)
  rmSync(join(folder, wheel))
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/**
 * The emulator around one runtime, which it starts at the first invocation.
 *
 * @param {{ apiPort: number, runtime: readonly string[], env: Record<string, string> }} what
 * @returns {import('./recipes.mjs').Recipe}
 */
export const lambdaRie = ({ apiPort, runtime, env }) => ({
  name: 'lambda-rie',
  version: '1.170.0',
  install,
  start: ({ folder, port }) => ({
    command: join(folder, 'rie'),
    args: [
      ...['--runtime-interface-emulator-address', `127.0.0.1:${port}`],
      ...['--runtime-api-address', `127.0.0.1:${apiPort}`],
      ...runtime,
    ],
    env,
  }),
  isReady: accepts,
})
