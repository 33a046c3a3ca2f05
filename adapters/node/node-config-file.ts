import { readFileSync } from 'node:fs'
import { configError } from '../../src/checks/index.ts'

/** A configuration is short: more is another file. */
const MAX_CHARACTERS = 1_048_576

/**
 * Returns the JSON of a file, for `createKms` and `createResilientKms` on Node, Deno and Bun. It is read once,
 * at the call. The factory checks what is in it.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if the file cannot be read, is longer than 1 MiB or is not JSON; the error
 * repeats nothing of it
 *
 * @example
 * ```ts
 * import { createResilientKms, type ResilientKmsConfig } from 'edge-kms/config'
 * import { nodeConfigFile, nodeReferences } from 'edge-kms/node'
 *
 * const config = nodeConfigFile<ResilientKmsConfig>('/etc/app/kms.json')
 * export const { keys } = createResilientKms(config, { resolve: nodeReferences })
 * ```
 */
export function nodeConfigFile<T>(path: string): T {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw configError('the configuration file cannot be read: check its path and its rights')
  }
  if (text.length > MAX_CHARACTERS)
    throw configError('the configuration file must have at most 1 MiB, got more: check its path')
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as T
  } catch {
    // The parser's message quotes the text, which may hold a secret.
    throw configError('the configuration file must be JSON, got other text')
  }
}
