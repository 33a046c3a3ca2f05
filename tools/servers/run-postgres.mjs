/**
 * `run-postgres.mjs <folder> <port> <state>`: a new database on loopback. PostgreSQL refuses to run as
 * root, so then it runs as nobody, from a copy that nobody can read.
 */
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { password, user } from './postgres.mjs'

const [folder, port, state] = /** @type {[string, string, string]} */ (
  /** @type {unknown} */ (process.argv.slice(2))
)
const nobody = 65_534
const isRoot = process.getuid?.() === 0
const as = isRoot ? { uid: nobody, gid: nobody } : {}
let program = folder
const passwordFile = join(state, 'password')
writeFileSync(passwordFile, password)
if (isRoot) {
  program = join(state, 'program')
  cpSync(folder, program, { recursive: true, verbatimSymlinks: true })
  chmodSync(dirname(state), 0o711)
  chownSync(state, nobody, nobody)
}

const data = join(state, 'data')
const made = spawnSync(
  join(program, 'bin', 'initdb'),
  [
    ...['-D', data, '-U', user, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
    // A language's order and not that of bytes, as most databases have; no sync of the new files.
    ...['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US', '-N'],
  ],
  { ...as, stdio: ['ignore', 'inherit', 'inherit'] },
)
if (made.status !== 0) process.exit(made.status ?? 1)

const server = spawn(
  join(program, 'bin', 'postgres'),
  [
    ...['-D', data, '-p', port],
    ...['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
  ],
  { ...as, stdio: ['ignore', 'inherit', 'inherit'] },
)
server.once('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1))
// Its own end at once, and not only when the last client has gone.
process.on('SIGTERM', () => server.kill('SIGINT'))
