import type { ConfigResolver } from '../../src/config/index.ts'
import { textOfFileSync } from './text-file.ts'

/**
 * Resolves `{ "env": … }` and `{ "file": … }` of a configuration on Node, Deno and Bun: for
 * `resolve` of `createKms` and `createResilientKms`. A file is read anew each time, so that tokens which
 * the platform renews there are the new ones; white space at its ends is not part of it.
 *
 * @example
 * ```ts
 * import { createKms } from 'edge-kms/config'
 * import { nodeReferences } from 'edge-kms/node'
 *
 * export const kms = createKms(JSON.parse(process.env['EDGE_KMS_CONFIG'] ?? ''), { resolve: nodeReferences })
 * ```
 */
export const nodeReferences: ConfigResolver = (reference) => {
  if ('env' in reference) return process.env[reference.env]
  return textOfFileSync(reference.file).trim()
}
