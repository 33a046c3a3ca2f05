/**
 * The closed set of error codes. A code is API: it changes only with a major version.
 * Cause and fix of each: `docs/error-codes.md`.
 */
export type KmsErrorCode =
  | 'ERR_CONTEXT_INVALID'
  | 'ERR_WIRE_MALFORMED'
  | 'ERR_WIRE_VERSION_REFUSED'
  | 'ERR_WIRE_KIND_REFUSED'
  | 'ERR_WIRE_LIMIT_EXCEEDED'
  | 'ERR_ENVELOPE_UNKNOWN_KEY'
  | 'ERR_ENVELOPE_UNKNOWN_REFERENCE'
  | 'ERR_ENVELOPE_TOO_LARGE'
  | 'ERR_DECRYPT_FAILED'
  | 'ERR_DATA_KEY_EXHAUSTED'
  | 'ERR_KMS_CONFIG'
  | 'ERR_KMS_UNSUPPORTED'
  | 'ERR_KMS_KEY_NOT_FOUND'
  | 'ERR_KMS_KEY_DISABLED'
  | 'ERR_KMS_ACCESS_DENIED'
  | 'ERR_KMS_UNAUTHENTICATED'
  | 'ERR_KMS_THROTTLED'
  | 'ERR_KMS_UNAVAILABLE'
  | 'ERR_KMS_TIMEOUT'
  | 'ERR_KMS_RESPONSE_INVALID'
  | 'ERR_STORE_UNAVAILABLE'

/** One code for each class (W6.10): what it says, and whether the same call again can help. */
const TABLE: Readonly<
  Record<KmsErrorCode, { readonly message: string; readonly retryable: boolean }>
> = {
  ERR_CONTEXT_INVALID: { message: 'the context or aad map is not valid', retryable: false },
  ERR_WIRE_MALFORMED: { message: 'not a well-formed envelope', retryable: false },
  ERR_WIRE_VERSION_REFUSED: { message: 'this envelope version is not accepted', retryable: false },
  ERR_WIRE_KIND_REFUSED: {
    message: 'this kind of envelope is not accepted here',
    retryable: false,
  },
  ERR_WIRE_LIMIT_EXCEEDED: { message: 'the envelope exceeds a limit', retryable: false },
  ERR_ENVELOPE_UNKNOWN_KEY: { message: 'no wrap is for a configured key', retryable: false },
  ERR_ENVELOPE_UNKNOWN_REFERENCE: { message: 'the data key is not in the store', retryable: true },
  ERR_ENVELOPE_TOO_LARGE: { message: 'too large for one record: use a stream', retryable: false },
  ERR_DECRYPT_FAILED: { message: 'decryption failed', retryable: false },
  ERR_DATA_KEY_EXHAUSTED: { message: 'the data key may not encrypt any more', retryable: false },
  ERR_KMS_CONFIG: { message: 'the configuration is not valid', retryable: false },
  ERR_KMS_UNSUPPORTED: { message: 'the provider does not support this', retryable: false },
  ERR_KMS_KEY_NOT_FOUND: { message: 'the key was not found', retryable: false },
  ERR_KMS_KEY_DISABLED: {
    message: 'the key or key version is not enabled for this',
    retryable: false,
  },
  ERR_KMS_ACCESS_DENIED: { message: 'the KMS denied the call', retryable: false },
  ERR_KMS_UNAUTHENTICATED: { message: 'the KMS did not accept the credentials', retryable: false },
  ERR_KMS_THROTTLED: { message: 'the KMS throttled the call', retryable: true },
  ERR_KMS_UNAVAILABLE: { message: 'the KMS could not be reached', retryable: true },
  ERR_KMS_TIMEOUT: { message: 'the deadline passed', retryable: true },
  ERR_KMS_RESPONSE_INVALID: {
    message: 'the KMS gave an answer that was refused',
    retryable: false,
  },
  ERR_STORE_UNAVAILABLE: { message: 'the store could not be reached', retryable: true },
}

/** Every code, for tables and exhaustive tests. */
export const KMS_ERROR_CODES: readonly KmsErrorCode[] = Object.freeze(
  Object.keys(TABLE) as KmsErrorCode[],
)

/** Facts that may stand on an error. None of them is ever a secret, a context value or a body. */
export interface KmsErrorDetails {
  /** A sentence that replaces the code's own; must hold no secret. Ignored for `ERR_DECRYPT_FAILED`. */
  readonly message?: string
  readonly provider?: string
  readonly operation?: string
  /** HTTP status of the vendor's answer. */
  readonly status?: number
  /** The vendor's request id. */
  readonly requestId?: string
  /** How long the vendor asks to wait, in milliseconds. */
  readonly retryAfterMs?: number
  /** Overrides the code's default. Ignored for `ERR_DECRYPT_FAILED`. */
  readonly retryable?: boolean
  /** Ignored for `ERR_DECRYPT_FAILED`: which check failed must not be visible. */
  readonly cause?: unknown
}

/** The brand is on the global symbol registry, so that two copies of the package know each other's errors. */
const BRAND = Symbol.for('edge-kms.KmsError')

/**
 * The one error class of the package. Match with {@link isKmsError} and `code`, never with the message.
 *
 * @remarks Security: `ERR_DECRYPT_FAILED` is one code with one message for a wrong key, tag,
 * commitment, context or aad, for truncation, and for the KMS's own "invalid ciphertext".
 */
export class KmsError extends Error {
  readonly code: KmsErrorCode
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  readonly provider?: string
  readonly operation?: string
  readonly status?: number
  readonly requestId?: string
  readonly retryAfterMs?: number

  constructor(code: KmsErrorCode, details: KmsErrorDetails = {}) {
    const row = TABLE[code]
    const opaque = code === 'ERR_DECRYPT_FAILED'
    super(
      opaque ? row.message : (details.message ?? row.message),
      opaque || details.cause === undefined ? undefined : { cause: details.cause },
    )
    this.name = 'KmsError'
    this.code = code
    this.retryable = opaque ? false : (details.retryable ?? row.retryable)
    Object.defineProperty(this, BRAND, { value: true })
    if (opaque) return // W6.9: nothing on the error may tell which check failed
    if (details.provider !== undefined) this.provider = details.provider
    if (details.operation !== undefined) this.operation = details.operation
    if (details.status !== undefined) this.status = details.status
    if (details.requestId !== undefined) this.requestId = details.requestId
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs
  }

  /** Plain data without stack and cause, fit for logs, RPC and problem documents. */
  toJSON(): KmsErrorData {
    return {
      name: 'KmsError',
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.provider !== undefined && { provider: this.provider }),
      ...(this.operation !== undefined && { operation: this.operation }),
      ...(this.status !== undefined && { status: this.status }),
      ...(this.requestId !== undefined && { requestId: this.requestId }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
    }
  }
}

/** A {@link KmsError} as plain data. */
export interface KmsErrorData {
  readonly name: 'KmsError'
  readonly code: KmsErrorCode
  readonly message: string
  readonly retryable: boolean
  readonly provider?: string
  readonly operation?: string
  readonly status?: number
  readonly requestId?: string
  readonly retryAfterMs?: number
}

/**
 * Whether a caught value is a {@link KmsError}, with the given code where one is named.
 * Works across two copies of the package, where `instanceof` does not.
 *
 * @example
 * ```ts
 * import { isKmsError } from 'edge-kms'
 *
 * export function statusOf(error: unknown): number {
 *   if (isKmsError(error, 'ERR_DECRYPT_FAILED')) return 422
 *   return isKmsError(error) && error.retryable ? 503 : 500
 * }
 * ```
 */
export function isKmsError(value: unknown, code?: KmsErrorCode): value is KmsError {
  if (typeof value !== 'object' || value === null || !(BRAND in value)) return false
  return code === undefined || (value as unknown as KmsError).code === code
}

/** One outcome of a batch: batches never throw for one item. */
export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: KmsError }

/** An outcome as plain data: error classes do not survive an RPC boundary. */
export type KmsResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: KmsErrorData }

/**
 * Turns a promise into a {@link KmsResult}, for Workers RPC and queues.
 * Errors that are not a `KmsError` (programming mistakes, aborts) still reject.
 */
export async function toKmsResult<T>(work: Promise<T>): Promise<KmsResult<T>> {
  try {
    return { ok: true, value: await work }
  } catch (error) {
    if (isKmsError(error)) return { ok: false, error: error.toJSON() }
    throw error
  }
}

/** The value of a {@link KmsResult}, or its error thrown as a {@link KmsError} again. */
export function fromKmsResult<T>(result: KmsResult<T>): T {
  if (result.ok) return result.value
  throw new KmsError(result.error.code, result.error)
}
