import { gcpErrorOf, type GcpStatus } from '../../credentials/gcp/index.ts'
import type { KmsError, KmsErrorCode } from '../../errors.ts'
import type { GcpKmsMethods } from './transport.ts'

export const PROVIDER = 'gcp-kms'

/** The call is right, so it is the ciphertext or the context that is not. */
export function meaningOfInvalid(method: keyof GcpKmsMethods): KmsErrorCode | undefined {
  return method === 'Decrypt' ? 'ERR_DECRYPT_FAILED' : undefined
}

/** Returns an error of Cloud KMS as an error with a code: for a {@link GcpKmsTransport} of your own. */
export function gcpKmsError(method: keyof GcpKmsMethods, status: GcpStatus): KmsError {
  const facts = { provider: PROVIDER, operation: method }
  return gcpErrorOf(status, { ...facts, invalidArgument: meaningOfInvalid(method) })
}
