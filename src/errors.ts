/** One code for each class (W6.10). */
const CODES = [
  'ERR_CONTEXT_INVALID',
  'ERR_WIRE_MALFORMED',
  'ERR_WIRE_VERSION_REFUSED',
  'ERR_WIRE_KIND_REFUSED',
  'ERR_WIRE_LIMIT_EXCEEDED',
  'ERR_ENVELOPE_UNKNOWN_KEY',
  'ERR_ENVELOPE_UNKNOWN_REFERENCE',
  'ERR_ENVELOPE_TOO_LARGE',
  'ERR_DECRYPT_FAILED',
  'ERR_DATA_KEY_EXHAUSTED',
  'ERR_KMS_CONFIG',
  'ERR_KMS_UNSUPPORTED',
  'ERR_KMS_KEY_NOT_FOUND',
  'ERR_KMS_KEY_DISABLED',
  'ERR_KMS_ACCESS_DENIED',
  'ERR_KMS_UNAUTHENTICATED',
  'ERR_KMS_THROTTLED',
  'ERR_KMS_UNAVAILABLE',
  'ERR_KMS_TIMEOUT',
  'ERR_KMS_RESPONSE_INVALID',
  'ERR_STORE_UNAVAILABLE',
  'ERR_STORE_CONFLICT',
] as const

/**
 * The closed set of error codes. A code is API: it changes only with a major version.
 * Cause and fix of each: `docs/error-codes.md`.
 */
export type KmsErrorCode = (typeof CODES)[number]

/** Every code, for tables and exhaustive tests. */
export const KMS_ERROR_CODES: readonly KmsErrorCode[] = /* @__PURE__ */ Object.freeze(CODES)

/** Default messages of codes whose own words do not explain them. */
const MESSAGES: Partial<Readonly<Record<KmsErrorCode, string>>> = {
  ERR_CONTEXT_INVALID: 'the context or aad map is not valid',
  ERR_DECRYPT_FAILED: 'decryption failed',
  ERR_STORE_CONFLICT: 'the condition of a write does not hold: the object changed',
  ERR_ENVELOPE_TOO_LARGE: 'too large for one record: use a stream',
}

/** Codes of which the same call may succeed later. */
const RETRYABLE: readonly KmsErrorCode[] = [
  'ERR_ENVELOPE_UNKNOWN_REFERENCE',
  'ERR_KMS_THROTTLED',
  'ERR_KMS_UNAVAILABLE',
  'ERR_KMS_TIMEOUT',
  'ERR_STORE_UNAVAILABLE',
]

/** Facts about a failure. None of them is ever a secret, a context value or a body. */
export interface KmsErrorDetails {
  /** Replaces the code's default message. It must not hold a secret. Ignored for `ERR_DECRYPT_FAILED`. */
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

/** Each fact and its type: facts may come from another Worker. */
const FACTS: Readonly<Record<string, string>> = {
  provider: 'string',
  operation: 'string',
  status: 'number',
  requestId: 'string',
  retryAfterMs: 'number',
} satisfies Record<keyof Facts, string>
type Facts = Omit<KmsErrorDetails, 'message' | 'retryable' | 'cause'>

function factsOf(source: Facts): Facts {
  return Object.fromEntries(
    Object.entries(source).filter(([name, fact]) => typeof fact === FACTS[name]),
  )
}

/** The brand is on the global symbol registry, so that two copies of the package know each other's errors. */
const BRAND = Symbol.for('edge-kms.KmsError')

/**
 * The one error class of the package. Match errors by {@link isKmsError} and `code`, never by the message.
 *
 * @remarks Security: `ERR_DECRYPT_FAILED` is one code with one message for a wrong key, tag,
 * commitment, context or aad, for truncation, and for the KMS's own "invalid ciphertext".
 */
export class KmsError extends Error {
  readonly code: KmsErrorCode
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  declare readonly provider?: string
  declare readonly operation?: string
  declare readonly status?: number
  declare readonly requestId?: string
  declare readonly retryAfterMs?: number

  constructor(code: KmsErrorCode, details: KmsErrorDetails = {}) {
    // W6.9: nothing on the error may tell which check failed
    const given = code === 'ERR_DECRYPT_FAILED' ? {} : details
    super(
      given.message ?? MESSAGES[code] ?? code.slice(4).toLowerCase().replaceAll('_', ' '),
      given.cause === undefined ? undefined : { cause: given.cause },
    )
    this.name = 'KmsError'
    this.code = code
    this.retryable = given.retryable ?? RETRYABLE.includes(code)
    Object.defineProperty(this, BRAND, { value: true })
    Object.assign(this, factsOf(given))
  }

  /** Plain data without stack and cause, fit for logs, RPC and problem documents. */
  toJSON(): KmsErrorData {
    return {
      name: 'KmsError',
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...factsOf(this),
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
 * Returns whether a caught value is a {@link KmsError} and, if you pass a code, has that code. Works across two
 * copies of the package, where `instanceof` does not.
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

/**
 * Returns the rejection of a service or a store as an error of ours: one with a code that we know as it
 * is, anything else as `code` with what was thrown as its cause.
 *
 * An `AbortError` counts as an abort only if the caller's own signal is aborted; else a client aborted
 * itself, which is an outage.
 *
 * @throws the reason of an aborted signal
 */
export function typedError(
  error: unknown,
  code: KmsErrorCode,
  signal: AbortSignal | undefined,
): KmsError {
  signal?.throwIfAborted()
  if (!isKmsError(error)) return new KmsError(code, { cause: error })
  if (CODES.includes(error.code)) return error
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { cause: error })
}

/** The result of one item of a batch, or its error. A batch never throws because one item failed. */
export type Outcome<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: KmsError }

/** Runs one item of a batch: a KmsError is its outcome, anything else is a mistake and rejects. */
export function settle<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  return outcomeOf((async () => work())())
}

/** As {@link settle}, for work that was started: the cheaper one. */
export function outcomeOf<T>(work: Promise<T>): Promise<Outcome<T>> {
  return work.then(succeeded, failed)
}

const succeeded = <T>(value: T): Outcome<T> => ({ ok: true, value })

function failed(error: unknown): Outcome<never> {
  if (isKmsError(error)) return { ok: false, error }
  throw error
}

/** Returns what an outcome holds, or throws its error. */
export function valueOf<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value
  throw outcome.error
}

/** An outcome as plain data: error classes do not survive an RPC boundary. */
export type KmsResult<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: KmsErrorData }

/**
 * Turns a promise into a {@link KmsResult}, for Workers RPC and queues.
 * Errors that are not a `KmsError` (programming mistakes, aborts) still reject.
 */
export async function toKmsResult<T>(work: Promise<T>): Promise<KmsResult<T>> {
  const outcome = await outcomeOf(work)
  return outcome.ok ? outcome : { ok: false, error: outcome.error.toJSON() }
}

/**
 * Returns the value of a {@link KmsResult}, or throws its error as a {@link KmsError}. Throws
 * `ERR_KMS_RESPONSE_INVALID` if the error has an unknown code, or if the argument is not a result.
 */
export function fromKmsResult<T>(result: KmsResult<T>): T {
  const { ok, value, error } = Object(result) as { ok?: unknown; value?: T; error?: unknown }
  if (ok === true) return value as T // JSON has no `value` that is undefined
  const known = ok === false ? errorOfData(error) : undefined
  throw known ?? new KmsError('ERR_KMS_RESPONSE_INVALID')
}

/**
 * Returns the error that plain data describes, with those facts that have their type; `undefined` if its code is
 * not known here: another version of this package may have codes that this one has not.
 */
export function errorOfData(data: unknown): KmsError | undefined {
  const given = Object(data) as Readonly<Record<string, unknown>>
  const code = CODES.find((known) => known === given['code'])
  const { message, retryable } = given
  return (
    code &&
    new KmsError(code, {
      ...factsOf(given),
      ...(typeof message === 'string' && { message }),
      ...(typeof retryable === 'boolean' && { retryable }),
    })
  )
}
