/** A client of Vault that others wrote, from the tool folder that pins it. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ensureFolder } from '../../../tools/lib/folders.mjs'

/** @returns {(options: object) => any} */
export function loadClient() {
  // Ambient addresses and tokens must not reach a test.
  for (const name of Object.keys(process.env))
    if (/^(VAULT|BAO)_/.test(name)) Reflect.deleteProperty(process.env, name)
  const require = createRequire(join(ensureFolder('clients/vault'), 'package.json'))
  return require('node-vault')
}
