/** node-postgres, from the tool folder that pins it. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ensureFolder } from '../../../tools/lib/folders.mjs'
import { password, user } from '../../../tools/servers/postgres.mjs'

const load = createRequire(join(ensureFolder('clients/postgres'), 'package.json'))
const { Pool } = load('pg')

/** @param {number} port */
export function poolOf(port, more = {}) {
  const place = { host: '127.0.0.1', port, user, password, database: 'postgres' }
  const pool = new Pool({ ...place, max: 8, ...more })
  pool.on('error', () => undefined)
  return pool
}
