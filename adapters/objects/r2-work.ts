import { KmsError } from '../../src/errors.ts'
import type { ObjectRead, ObjectWrite } from './object-store.ts'
import type { R2ConditionBinding, R2WriteOptions } from './r2-binding.ts'

/** R2's own faults, the server's pressure and lost clients: the same call may succeed later. */
const PASSING = new Set(['10001', '10043', '10054', '10058'])

/**
 * Returns what the binding answers. A failure keeps R2's number alone: its message may hold a key.
 *
 * @throws KmsError `ERR_STORE_UNAVAILABLE`
 * @see https://developers.cloudflare.com/r2/api/error-codes/
 */
export async function r2Work<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { message } = Object(error) as { readonly message?: unknown }
    const code = /\((\d{1,5})\)$/.exec(typeof message === 'string' ? message : '')?.[1]
    throw new KmsError('ERR_STORE_UNAVAILABLE', {
      provider: 'r2',
      message: code === undefined ? 'R2 failed' : `R2 answered ${code}`,
      retryable: code !== undefined && PASSING.has(code),
    })
  }
}

/** Returns what is stored beside the bytes. */
export function r2Options({ metadata }: ObjectWrite): R2WriteOptions {
  return {
    customMetadata: metadata,
    httpMetadata: { contentType: 'application/octet-stream' },
  }
}

/** Returns options with the condition, if there is one. */
export function r2Condition(onlyIf: ObjectRead['onlyIf']): { onlyIf?: R2ConditionBinding } {
  if (onlyIf === undefined) return {}
  const { etagMatches, etagDoesNotMatch } = onlyIf
  return {
    onlyIf: {
      ...(etagMatches !== undefined && { etagMatches }),
      ...(etagDoesNotMatch !== undefined && { etagDoesNotMatch }),
    },
  }
}
