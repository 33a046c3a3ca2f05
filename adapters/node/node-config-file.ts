import { configError, wrongOption } from '../../src/checks/index.ts'
import { textOfFileSync } from './text-file.ts'

/**
 * Reads a file and returns its JSON, for `createKms` and `createResilientKms` on Node, Deno and Bun. The file is read
 * once, during this call. The factory checks its content.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if the file cannot be read, is a pipe or a device, is longer than 1 MiB or is not
 * JSON; the error never repeats the content
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
  if (typeof path !== 'string' || path === '') throw wrongOption('path', 'the path of a file', path)
  const text = textOf(path)
  try {
    return JSON.parse(text.replace(/^\uFEFF/, '')) as T
  } catch {
    // The parser's message quotes the text, which may hold a secret.
    throw configError('the configuration file must be JSON, got other text')
  }
}

function textOf(path: string): string {
  try {
    return textOfFileSync(path)
  } catch (error) {
    const { code } = Object(error) as { readonly code?: unknown }
    throw configError(
      code === 'FILE_TOO_LARGE'
        ? 'the configuration file must have at most 1 MiB, got more: check its path'
        : 'the configuration file cannot be read: it must be a regular file, check its path and its rights',
    )
  }
}
