import { configError } from '../../src/checks/index.ts'
import type { KmsError } from '../../src/errors.ts'

/** The members of `Deno` that this subpath uses. */
export interface DenoNamespace {
  readonly env: { get(name: string): string | undefined }
  readonly permissions?: {
    querySync(wanted: { readonly name: 'env'; readonly variable: string }): {
      readonly state: string
    }
  }
  stat(path: string): Promise<{ readonly isFile: boolean; readonly size: number }>
  readTextFile(path: string): Promise<string>
  /** Absent without `--unstable-kv`. */
  readonly openKv?: (path?: string) => Promise<unknown>
}

/**
 * Returns `Deno`.
 *
 * @throws KmsError `ERR_KMS_CONFIG` on another runtime
 */
export function denoNamespace(): DenoNamespace {
  const found: unknown = Reflect.get(globalThis, 'Deno')
  if (typeof found === 'object' && found !== null) return found as DenoNamespace
  throw configError('edge-kms/deno runs on Deno only, and Deno was not found')
}

/** Returns the error for a permission that is missing. */
export function permissionError(work: string, flag: string): KmsError {
  return configError(`Deno may not ${work}: start it with ${flag}`)
}

/** Returns whether Deno refused something because a permission is missing. */
export function isDenied(error: unknown): boolean {
  return error instanceof Error && error.name === 'NotCapable'
}
