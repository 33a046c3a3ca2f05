import { gcpErrorOf, type GcpStatus } from '../../credentials/gcp/index.ts'
import type { KmsError, KmsErrorCode } from '../../errors.ts'
import type { GcpKmsMethods } from './transport.ts'

export const PROVIDER = 'gcp-kms'

/** The call is right, so it is the ciphertext or the context that is not. */
export function meaningOfInvalid(method: keyof GcpKmsMethods): KmsErrorCode | undefined {
  return method === 'Decrypt' ? 'ERR_DECRYPT_FAILED' : undefined
}

/** Returns the `KmsError` for an error of Cloud KMS, for your own {@link GcpKmsTransport}. */
export function gcpKmsError(method: keyof GcpKmsMethods, status: GcpStatus): KmsError {
  const facts = { provider: PROVIDER, operation: method }
  return gcpErrorOf(status, { ...facts, invalidArgument: meaningOfInvalid(method) })
}
