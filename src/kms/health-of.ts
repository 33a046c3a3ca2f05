import { isKmsError, type KmsErrorCode } from '../errors.ts'
import type { HealthReport } from './key-management-service.ts'

/** The report on one KEK: healthy unless the work is refused, and then by which code. */
export async function healthOf(
  provider: string,
  kekId: string,
  work: () => Promise<unknown>,
): Promise<HealthReport> {
  let code: KmsErrorCode | undefined
  try {
    await work()
  } catch (error) {
    if (!isKmsError(error)) throw error
    code = error.code
  }
  const healthy = code === undefined
  return { healthy, checks: [{ provider, kekId, healthy, ...(code !== undefined && { code }) }] }
}
