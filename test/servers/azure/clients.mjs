/** Microsoft's own clients, from the tool folder that pins them. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ensureFolder } from '../../../tools/lib/folders.mjs'

/** @returns {import('./world.mjs').Sdk} */
export function loadSdk() {
  // Ambient identities must not reach a test.
  for (const name of Object.keys(process.env))
    if (/^(AZURE|MSI|IDENTITY|IMDS)_/.test(name)) Reflect.deleteProperty(process.env, name)
  const require = createRequire(join(ensureFolder('clients/azure'), 'package.json'))
  const own = createRequire(require.resolve('@azure/keyvault-keys'))
  return {
    identity: require('@azure/identity'),
    keys: require('@azure/keyvault-keys'),
    rest: own('@azure/core-rest-pipeline'),
  }
}
