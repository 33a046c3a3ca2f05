import { configError } from '../../src/checks/index.ts'
import { KmsError } from '../../src/errors.ts'
import { CALLBACK_TIMEOUT_MS, webTimers, withTimeout } from '../../src/runtime/index.ts'
import { type DenoNamespace, denoNamespace, isDenied, permissionError } from './deno-permissions.ts'

/** Keys and tokens are short: more is another file. */
const MAX_FILE_BYTES = 1_048_576

/**
 * Returns the text of a file within 10 seconds, for options named `readTextFile`. It needs `--allow-read` for that
 * file. The file must be a regular one of at most 1 MiB.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if the file cannot be read, with the flag if Deno may not read it; on another
 * runtime; `ERR_KMS_TIMEOUT`
 */
export async function denoReadTextFile(path: string): Promise<string> {
  const deno = denoNamespace()
  return withTimeout(() => read(deno, path), {
    timeoutMs: CALLBACK_TIMEOUT_MS,
    signal: undefined,
    network: webTimers,
    error: () => new KmsError('ERR_KMS_TIMEOUT', { message: `${path} takes too long to read` }),
  })
}

async function read(deno: DenoNamespace, path: string): Promise<string> {
  try {
    const { isFile, size } = await deno.stat(path)
    // A pipe would hold a thread of Deno until somebody writes to it.
    if (isFile && size <= MAX_FILE_BYTES) return await deno.readTextFile(path)
  } catch (error) {
    if (isDenied(error)) throw permissionError(`read ${path}`, `--allow-read=${path}`)
    const { name } = Object(error) as { readonly name?: unknown }
    const reason = typeof name === 'string' && /^\w{1,64}$/.test(name) ? name : 'it failed'
    throw configError(`${path} cannot be read: ${reason}`)
  }
  throw configError(`${path} must be a regular file of at most 1 MiB`)
}
