import type { ConfigResolver } from '../../src/config/index.ts'
import { textOfFileSync } from './text-file.ts'

/**
 * Resolves `{ "env": … }` and `{ "file": … }` of a configuration on Node, Deno and Bun: for `resolve` of `createKms`
 * and `createResilientKms`. A file is read again each time, so that you get a token that the platform has renewed.
 * White space at both ends of a file is removed.
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
