import { plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import { KmsError } from '../../errors.ts'
import { CALLBACK_TIMEOUT_MS, jwtOf, webTimers, withTimeout } from '../../runtime/index.ts'
import type { OidcTokenSource } from './oidc-token-source.ts'

/** Options of {@link fileToken}. */
export interface FileTokenOptions {
  /** The path of the token, e.g. `/var/run/secrets/tokens/kms`. */
  readonly path: string
  /** Reads a file as text: `Deno.readTextFile`, or what the platform has; `edge-kms/node` brings its own. */
  readonly readTextFile: (path: string) => Promise<string>
}

const PROVIDER = 'file-token'
/** Longer than any token: another file. */
const MAX_CHARACTERS = 65_536

/**
 * Returns a source of tokens that the platform keeps in a file and renews there: projected service-account tokens of
 * Kubernetes, GitLab, SPIFFE. It reads the file at each exchange and does not keep the token, so it never sends a
 * replaced one.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for an invalid path. When a token is requested: `ERR_KMS_CONFIG` if the file
 * cannot be read, and `ERR_KMS_UNAUTHENTICATED` if it does not hold a token
 * @see https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
 */
export function fileToken(options: FileTokenOptions): OidcTokenSource {
  const { path, readTextFile, ...others } = plainOptions(options)
  refuseOthers(others)
  if (typeof path !== 'string' || path === '') throw wrongOption('path', 'the path of a file', path)
  if (typeof readTextFile !== 'function')
    throw wrongOption('readTextFile', 'a function', readTextFile)
  return async ({ signal } = {}) => {
    signal?.throwIfAborted()
    const read = async (): Promise<unknown> => {
      try {
        return await readTextFile(path)
      } catch (error) {
        throw unreadable(error)
      }
    }
    const text = await withTimeout(read, {
      timeoutMs: CALLBACK_TIMEOUT_MS,
      signal,
      network: webTimers,
      error: () => new KmsError('ERR_KMS_TIMEOUT', { provider: PROVIDER }),
    })
    const isShort = typeof text === 'string' && text.length <= MAX_CHARACTERS
    return jwtOf(isShort ? text : undefined, PROVIDER)
  }
}

/** The system's word alone: a message may quote the file. */
function unreadable(error: unknown): KmsError {
  const { code, name } = Object(error) as { readonly code?: unknown; readonly name?: unknown }
  const word = [code, name].find((one) => typeof one === 'string' && /^\w{1,64}$/.test(one))
  return new KmsError('ERR_KMS_CONFIG', {
    provider: PROVIDER,
    message: 'the file of the token cannot be read',
    cause: new Error(word as string | undefined),
  })
}
