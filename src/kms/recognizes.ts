import { isKmsError, KmsError } from '../errors.ts'
import type { EncryptionContext } from './context-encoding.ts'
import type { KeyManagementService } from './key-management-service.ts'
import type { WrappedKey } from './wrapped-key.ts'

/**
 * Whether a wrap is for one of the service's keys. A service is code of others: its `canUnwrap` may throw, or
 * answer a promise, which would count as yes.
 *
 * @throws KmsError `ERR_KMS_RESPONSE_INVALID`
 */
export function recognizes(
  kms: Pick<KeyManagementService, 'canUnwrap'>,
  wrap: WrappedKey,
  context?: EncryptionContext,
): boolean {
  let answer: unknown
  let cause: unknown
  try {
    answer = kms.canUnwrap(wrap, context)
  } catch (error) {
    if (isKmsError(error, 'ERR_CONTEXT_INVALID')) throw error // the caller's fault
    cause = error
  }
  if (typeof answer === 'boolean') return answer
  const message = 'canUnwrap of the KMS must return true or false'
  throw new KmsError('ERR_KMS_RESPONSE_INVALID', { message, cause })
}
