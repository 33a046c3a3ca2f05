import { type KmsErrorCode, typedError } from '../errors.ts'
import type { HealthReport, KmsSignalOptions } from './key-management-service.ts'

/**
 * Returns the report on one KEK: healthy unless the work fails, and then the code of its error. An error
 * that is not a `KmsError` counts as an outage of this KEK, so that the report on others is not lost.
 *
 * @throws the reason of an aborted signal
 */
export async function healthOf(
  provider: string,
  kekId: string,
  { signal }: KmsSignalOptions,
  work: () => Promise<unknown>,
): Promise<HealthReport> {
  signal?.throwIfAborted()
  let code: KmsErrorCode | undefined
  try {
    await work()
  } catch (error) {
    ;({ code } = typedError(error, 'ERR_KMS_UNAVAILABLE', signal))
  }
  const healthy = code === undefined
  return { healthy, checks: [{ provider, kekId, healthy, ...(code !== undefined && { code }) }] }
}
