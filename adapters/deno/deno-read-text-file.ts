import { configError } from '../../src/checks/index.ts'
import { denoNamespace, isDenied, permissionError } from './deno-permissions.ts'

/**
 * Returns the text of a file, for options named `readTextFile`. It needs `--allow-read` for that file.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if the file cannot be read, with the flag if Deno may not read it; on another
 * runtime
 */
export async function denoReadTextFile(path: string): Promise<string> {
  const deno = denoNamespace('denoReadTextFile')
  try {
    return await deno.readTextFile(path)
  } catch (error) {
    if (isDenied(error)) throw permissionError(`read ${path}`, `--allow-read=${path}`)
    const { name } = Object(error) as { readonly name?: unknown }
    const reason = typeof name === 'string' && /^\w{1,64}$/.test(name) ? name : 'it failed'
    throw configError(`${path} cannot be read: ${reason}`)
  }
}
