/** AWS's own clients, from the tool folder that pins them. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ensureFolder } from '../../../tools/lib/folders.mjs'

/** @returns {import('./world.mjs').Sdk} */
export function loadSdk() {
  // Ambient profiles and regions must not reach a test.
  for (const name of Object.keys(process.env))
    if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name)
  const require = createRequire(join(ensureFolder('clients/aws'), 'package.json'))
  return {
    kms: require('@aws-sdk/client-kms'),
    sts: require('@aws-sdk/client-sts'),
    dynamodb: require('@aws-sdk/client-dynamodb'),
  }
}
