import { typedError } from '../errors.ts'

/**
 * Returns the answer of a service. An error that it throws becomes one of ours, without its words: they may repeat a
 * token.
 *
 * @throws KmsError `ERR_KMS_UNAVAILABLE` for an error that is not ours; the reason of an aborted signal
 */
export async function typedCall<T>(
  signal: AbortSignal | undefined,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call()
  } catch (error) {
    throw typedError(error, 'ERR_KMS_UNAVAILABLE', signal)
  }
}
