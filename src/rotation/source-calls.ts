import { isKmsError, KmsError } from '../errors.ts'
import type { Network } from '../ports/index.ts'
import { withTimeout } from '../runtime/index.ts'

/** Bounds of calls to sources, sinks and state stores. */
export interface SourceCallPorts {
  readonly network: Network
  readonly sourceTimeoutMs: number
}

/**
 * Makes one call to something outside that the caller handed in. It ends within its bound, whether the other side
 * listens to the signal or not.
 *
 * @param name - the subject of the error, e.g. `source users: page`
 * @throws KmsError `ERR_STORE_UNAVAILABLE` for any failure but a `KmsError`, which passes as it is; the reason of
 * the caller's signal
 */
export async function callOutside<T>(
  { network, sourceTimeoutMs: timeoutMs }: SourceCallPorts,
  name: string,
  signal: AbortSignal | undefined,
  work: (options: { readonly signal: AbortSignal }) => T | Promise<T>,
): Promise<T> {
  const failed = (says: string, cause?: unknown): KmsError =>
    new KmsError('ERR_STORE_UNAVAILABLE', { message: `${name} ${says}`, cause })
  const error = (): KmsError => failed('did not answer in time')
  try {
    const call = async (until: AbortSignal): Promise<T> => work({ signal: until })
    return await withTimeout(call, { timeoutMs, signal, network, error })
  } catch (thrown) {
    signal?.throwIfAborted()
    // The words of another system's error may hold values: they stay in the cause.
    throw isKmsError(thrown) ? thrown : failed('failed', thrown)
  }
}
