import {
  errorOfData,
  KmsError,
  type KmsErrorDetails,
  type KmsResult,
  type Outcome,
  valueOf,
} from '../../../src/errors.ts'
import { webTimers, withTimeout } from '../../../src/runtime/index.ts'

/** How a client calls its service. */
export interface RemoteCall {
  /** In milliseconds. */
  readonly timeoutMs: number
  /** The caller's signal. It ends the wait here; the service ends the work by its own deadline. */
  readonly signal?: AbortSignal | undefined
}

/** Whether a value is what a method returns: the answer of another Worker is not trusted. */
export type IsValue = (value: unknown) => boolean

/** The values of methods that return bytes. */
export const isBytes: IsValue = (value) => value instanceof Uint8Array

/**
 * Returns the value of an answer, or throws its error.
 *
 * @param operation - the method, for errors
 * @throws KmsError the service's; `ERR_KMS_TIMEOUT`; `ERR_KMS_UNAVAILABLE` if the service was not reached;
 * `ERR_KMS_RESPONSE_INVALID` for anything but a result of this method
 * @throws TypeError for an argument that the service refuses, or a binding that has no such method
 */
export async function ask<T>(
  operation: string,
  { timeoutMs, signal }: RemoteCall,
  work: () => Promise<KmsResult<T>>,
  isValue: IsValue,
): Promise<T> {
  const answer = await withTimeout(() => reached(operation, work), {
    timeoutMs,
    signal,
    network: webTimers,
    error: () => fault('ERR_KMS_TIMEOUT', operation),
  })
  return valueOf(outcomeOfResult(operation, answer, isValue))
}

/** Returns a result that crossed RPC with its error as a `KmsError` again. */
export function outcomeOfResult<T>(
  operation: string,
  result: KmsResult<T>,
  isValue: IsValue,
): Outcome<T> {
  const { ok, value, error } = Object(result) as Readonly<Record<string, unknown>>
  if (ok === true && isValue(value)) return { ok, value: value as T }
  const known = ok === false ? errorOfData(error) : undefined
  return { ok: false, error: known ?? fault('ERR_KMS_RESPONSE_INVALID', operation) }
}

/** Returns an error of the way to the service. */
export function fault(
  code:
    | 'ERR_KMS_TIMEOUT'
    | 'ERR_KMS_UNAVAILABLE'
    | 'ERR_KMS_RESPONSE_INVALID'
    | 'ERR_ENVELOPE_TOO_LARGE',
  operation: string,
  more?: Pick<KmsErrorDetails, 'cause' | 'message'>,
): KmsError {
  return new KmsError(code, { provider: 'cipher-service', operation, ...more })
}

async function reached<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // workerd keeps the class of a TypeError: a mistake of the caller, not an outage.
    if (error instanceof TypeError) throw error
    if (!/limited to \d+\s?MiB/.test(String(error)))
      throw fault('ERR_KMS_UNAVAILABLE', operation, { cause: error })
    const message = 'a call of a service binding carries at most 32 MiB: use a stream'
    throw fault('ERR_ENVELOPE_TOO_LARGE', operation, { message })
  }
}
