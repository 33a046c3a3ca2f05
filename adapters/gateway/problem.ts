import { isKmsError, type KmsErrorCode, KmsError } from '../../src/index.ts'
import { RESPONSE_HEADERS } from './response.ts'

/** Codes of failures before a request reaches the cipher. */
export type GatewayFailure =
  | 'ERR_GATEWAY_BAD_REQUEST'
  | 'ERR_GATEWAY_BODY_INCOMPLETE'
  | 'ERR_GATEWAY_LENGTH_REQUIRED'
  | 'ERR_GATEWAY_HOST_REFUSED'
  | 'ERR_GATEWAY_CROSS_SITE'
  | 'ERR_GATEWAY_NOT_FOUND'
  | 'ERR_GATEWAY_METHOD_NOT_ALLOWED'
  | 'ERR_GATEWAY_INTERNAL'

/** The closed set of codes that a problem document may carry. */
export type GatewayErrorCode = KmsErrorCode | GatewayFailure

const TITLES: Readonly<Record<GatewayFailure, string>> = {
  ERR_GATEWAY_BAD_REQUEST: 'this route does not accept the request',
  ERR_GATEWAY_BODY_INCOMPLETE: 'the body broke off, or its framing is wrong',
  ERR_GATEWAY_LENGTH_REQUIRED: 'a request by HTTP/1.0 must state its Content-Length',
  ERR_GATEWAY_HOST_REFUSED: 'this gateway does not answer to that host name',
  ERR_GATEWAY_CROSS_SITE: 'this gateway is not for web pages',
  ERR_GATEWAY_NOT_FOUND: 'unknown route: the guide of the gateway lists them',
  ERR_GATEWAY_METHOD_NOT_ALLOWED: 'this route does not accept the method',
  ERR_GATEWAY_INTERNAL: 'an unexpected failure',
}

/** A request that is refused before it reaches the cipher. */
export class GatewayError extends Error {
  readonly code: GatewayFailure
  /** A sentence about this very request; holds nothing that the request carried. */
  readonly detail: string | undefined
  /** Of a route that does not take the method: those that it takes. */
  readonly allow: string | undefined

  constructor(
    code: GatewayFailure,
    facts: { readonly detail?: string; readonly allow?: string } = {},
  ) {
    super(facts.detail ?? TITLES[code])
    this.name = 'GatewayError'
    this.code = code
    this.detail = facts.detail
    this.allow = facts.allow
  }
}

/** The code that stands for any caught value. */
export function codeOf(error: unknown): GatewayErrorCode {
  if (isKmsError(error) || error instanceof GatewayError) return error.code
  return 'ERR_GATEWAY_INTERNAL'
}

/** The one place where a code becomes an HTTP status. A new code does not compile until it has one. */
export function statusOf(code: GatewayErrorCode): number {
  switch (code) {
    case 'ERR_GATEWAY_BAD_REQUEST':
    case 'ERR_GATEWAY_BODY_INCOMPLETE':
    case 'ERR_CONTEXT_INVALID':
    case 'ERR_WIRE_MALFORMED':
      return 400
    case 'ERR_GATEWAY_CROSS_SITE':
    case 'ERR_KMS_ACCESS_DENIED':
      return 403
    case 'ERR_GATEWAY_NOT_FOUND':
    case 'ERR_ENVELOPE_UNKNOWN_REFERENCE':
      return 404
    case 'ERR_GATEWAY_METHOD_NOT_ALLOWED':
      return 405
    case 'ERR_GATEWAY_LENGTH_REQUIRED':
      return 411
    case 'ERR_WIRE_LIMIT_EXCEEDED':
    case 'ERR_ENVELOPE_TOO_LARGE':
      return 413
    case 'ERR_GATEWAY_HOST_REFUSED':
      return 421
    case 'ERR_WIRE_VERSION_REFUSED':
    case 'ERR_WIRE_KIND_REFUSED':
    case 'ERR_ENVELOPE_UNKNOWN_KEY':
    case 'ERR_DECRYPT_FAILED':
      return 422
    case 'ERR_GATEWAY_INTERNAL':
    case 'ERR_DATA_KEY_EXHAUSTED':
    case 'ERR_KMS_CONFIG':
      return 500
    case 'ERR_KMS_UNSUPPORTED':
      return 501
    case 'ERR_KMS_KEY_NOT_FOUND':
    case 'ERR_KMS_KEY_DISABLED':
    case 'ERR_KMS_UNAUTHENTICATED':
    case 'ERR_KMS_RESPONSE_INVALID':
      return 502
    case 'ERR_STORE_CONFLICT':
      return 409
    case 'ERR_KMS_THROTTLED':
    case 'ERR_KMS_UNAVAILABLE':
    case 'ERR_STORE_UNAVAILABLE':
      return 503
    case 'ERR_KMS_TIMEOUT':
      return 504
  }
}

/** Longest wait that a problem names, in seconds: a day. */
const MAX_RETRY_AFTER_SECONDS = 86_400

/** Returns the `application/problem+json` document (RFC 9457) of any caught value. */
export function problemOf(error: unknown, extra: Readonly<Record<string, unknown>> = {}): Response {
  const code = codeOf(error)
  const status = statusOf(code)
  const kms = isKmsError(error) ? error : undefined
  const gateway = error instanceof GatewayError ? error : undefined
  const title = kms === undefined ? TITLES[gateway?.code ?? 'ERR_GATEWAY_INTERNAL'] : titleOf(kms)
  const detail = gateway?.detail ?? detailOf(kms, title, status)
  const headers = new Headers({ ...RESPONSE_HEADERS, 'content-type': 'application/problem+json' })
  if (gateway?.allow !== undefined) headers.set('allow', gateway.allow)
  // Whole seconds, as HTTP has it: the number may come from a KMS of the caller's own.
  const { retryAfterMs = NaN } = kms ?? {}
  if (retryAfterMs >= 0) {
    const seconds = Math.min(Math.ceil(retryAfterMs / 1_000), MAX_RETRY_AFTER_SECONDS)
    headers.set('retry-after', String(seconds))
  }
  const problem = {
    code,
    title,
    status,
    retryable: kms?.retryable ?? false,
    ...(detail !== undefined && { detail }),
    ...extra,
  }
  return new Response(`${JSON.stringify(problem)}\n`, { status, headers })
}

/** The code's own sentence: the same for every problem of that code. */
function titleOf(error: KmsError): string {
  return new KmsError(error.code).message
}

/** The exact sentence, for a mistake that the caller can correct. The words of the KMS stay on this side. */
function detailOf(error: KmsError | undefined, title: string, status: number): string | undefined {
  if (error === undefined || status >= 500 || error.provider !== undefined) return undefined
  return error.message === title ? undefined : error.message
}
