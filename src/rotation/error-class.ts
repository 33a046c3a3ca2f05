import type { KmsError, KmsErrorCode } from '../errors.ts'
import type { RotationClass } from './rotation-state.ts'

/** The class of the value whose rewrap ended with this code. Other codes: see {@link classOfError}. */
const CLASSES: Partial<Readonly<Record<KmsErrorCode, RotationClass>>> = {
  ERR_ENVELOPE_UNKNOWN_KEY: 'unknown-key',
  ERR_KMS_KEY_NOT_FOUND: 'unknown-key',
  ERR_KMS_ACCESS_DENIED: 'denied',
  ERR_KMS_KEY_DISABLED: 'denied',
  ERR_CONTEXT_INVALID: 'corrupt',
  ERR_DECRYPT_FAILED: 'corrupt',
  ERR_WIRE_MALFORMED: 'corrupt',
  ERR_WIRE_VERSION_REFUSED: 'corrupt',
  ERR_WIRE_KIND_REFUSED: 'corrupt',
  ERR_WIRE_LIMIT_EXCEEDED: 'corrupt',
  // No data key that a KMS could have made comes out of this wrap.
  ERR_KMS_RESPONSE_INVALID: 'corrupt',
  ERR_ENVELOPE_UNKNOWN_REFERENCE: 'corrupt',
  ERR_STORE_CONFLICT: 'lost-race',
  // Wrong credentials are wrong for every value: blame none.
  ERR_KMS_UNAUTHENTICATED: 'outage',
  ERR_KMS_THROTTLED: 'outage',
  ERR_KMS_UNAVAILABLE: 'outage',
  ERR_KMS_TIMEOUT: 'outage',
  ERR_STORE_UNAVAILABLE: 'outage',
}

/** Returns the class of a value whose rewrap failed; `undefined` for a mistake of the caller, which must throw. */
export function classOfError({ code }: KmsError): RotationClass | undefined {
  return CLASSES[code]
}

/**
 * As {@link classOfError}, for the KEK that a value's context picks. The context may be an attacker's: where the
 * functions of the caller fail on it, this value has no KEK, and the others of the job do not wait for it.
 */
export function classOfKekError(error: KmsError): RotationClass | undefined {
  const isByContext = error.code === 'ERR_KMS_CONFIG' || error.code === 'ERR_KMS_UNSUPPORTED'
  return isByContext ? 'unknown-key' : classOfError(error)
}
