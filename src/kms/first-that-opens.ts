import { isKmsError, KmsError } from '../errors.ts'

/**
 * Tries a provider's own wraps in turn and returns the first result of `open`; one call after the other.
 *
 * @param candidates - the wraps that are under the provider's key
 * @param open - `undefined` for a wrap that the key cannot have made, which costs no call
 * @throws KmsError `ERR_ENVELOPE_UNKNOWN_KEY` without candidates, `ERR_DECRYPT_FAILED` if none opens
 */
export async function firstThatOpens<W, T>(
  provider: string,
  candidates: readonly W[],
  signal: AbortSignal | undefined,
  open: (candidate: W) => Promise<T | undefined>,
): Promise<T> {
  if (candidates.length === 0) throw new KmsError('ERR_ENVELOPE_UNKNOWN_KEY', { provider })
  for (const candidate of candidates) {
    signal?.throwIfAborted()
    try {
      const opened = await open(candidate)
      if (opened !== undefined) return opened
    } catch (error) {
      if (!isKmsError(error, 'ERR_DECRYPT_FAILED')) throw error
    }
  }
  throw new KmsError('ERR_DECRYPT_FAILED')
}
