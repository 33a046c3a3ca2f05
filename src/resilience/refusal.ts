import { KmsError, type KmsErrorCode, type KmsErrorDetails } from '../errors.ts'

/** On the global registry, so that two copies of the package know each other's refusals. */
const REFUSAL = Symbol.for('edge-kms.refusal')

/** Returns an error for a call that was refused here: the KMS was not asked. */
export function refusal(code: KmsErrorCode, details: KmsErrorDetails): KmsError {
  return Object.defineProperty(new KmsError(code, details), REFUSAL, { value: true })
}

/** Whether it is such an error: retrying it at once would be the storm that it prevents. */
export function isRefusal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && REFUSAL in error
}
