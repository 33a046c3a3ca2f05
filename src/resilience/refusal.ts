import { KmsError, type KmsErrorCode, type KmsErrorDetails } from '../errors.ts'

const refusals = /* @__PURE__ */ new WeakSet()

/** An error for a call that was turned away here: the KMS was not asked. */
export function refusal(code: KmsErrorCode, details: KmsErrorDetails): KmsError {
  const error = new KmsError(code, details)
  refusals.add(error)
  return error
}

/** To retry such an error at once would be the storm that it prevents; to count it, a lie. */
export function isRefusal(error: unknown): boolean {
  return typeof error === 'object' && error !== null && refusals.has(error)
}
