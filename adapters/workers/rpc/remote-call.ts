import {
  KMS_ERROR_CODES,
  KmsError,
  type KmsErrorData,
  type KmsResult,
} from '../../../src/errors.ts'
import { webTimers, withTimeout } from '../../../src/runtime/index.ts'

/** How a client calls its service. */
export interface RemoteCall {
  /** In milliseconds. */
  readonly timeoutMs: number
  /** The caller's signal. It ends the wait here; the service ends the work by its own deadline. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Returns the value of an answer, or throws its error.
 *
 * @param operation - the method, for errors
 * @throws KmsError the service's; `ERR_KMS_TIMEOUT`; `ERR_KMS_UNAVAILABLE` if the service was not reached
 * @throws TypeError for an argument that the service refuses, or a binding that has no such method
 */
export async function ask<T>(
  operation: string,
  { timeoutMs, signal }: RemoteCall,
  work: () => Promise<KmsResult<T>>,
): Promise<T> {
  const answer = await withTimeout(() => reached(operation, work), {
    timeoutMs,
    signal,
    network: webTimers,
    error: () => fault('ERR_KMS_TIMEOUT', operation),
  })
  return valueOfResult(operation, answer)
}

/**
 * Returns the value of a result that crossed RPC, or throws its error as a `KmsError` again.
 *
 * @throws KmsError the result's; `ERR_KMS_RESPONSE_INVALID` for anything but a result
 */
export function valueOfResult<T>(operation: string, result: KmsResult<T>): T {
  const given = Object(result) as { ok?: unknown; value?: T; error?: unknown }
  if (given.ok === true && 'value' in given) return given.value
  if (given.ok === false) throw errorOfResult(operation, given.error)
  throw fault('ERR_KMS_RESPONSE_INVALID', operation)
}

/** Returns the error of a result as a `KmsError` again. */
export function errorOfResult(operation: string, error: unknown): KmsError {
  const data = Object(error) as Partial<KmsErrorData>
  const code = KMS_ERROR_CODES.find((known) => known === data.code)
  return code === undefined
    ? fault('ERR_KMS_RESPONSE_INVALID', operation)
    : new KmsError(code, data)
}

/** Returns an error of the way to the service. */
export function fault(
  code: 'ERR_KMS_TIMEOUT' | 'ERR_KMS_UNAVAILABLE' | 'ERR_KMS_RESPONSE_INVALID',
  operation: string,
  cause?: unknown,
): KmsError {
  return new KmsError(code, { provider: 'cipher-service', operation, cause })
}

async function reached<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // workerd keeps the class of a TypeError: a mistake of the caller, not an outage.
    if (error instanceof TypeError) throw error
    if (!/limited to \d+\s?MiB/.test(String(error)))
      throw fault('ERR_KMS_UNAVAILABLE', operation, error)
    throw new KmsError('ERR_ENVELOPE_TOO_LARGE', {
      message: 'a call of a service binding carries at most 32 MiB: use a stream',
      provider: 'cipher-service',
      operation,
    })
  }
}
