import { KmsError, type KmsErrorCode, type KmsErrorDetails } from '../../errors.ts'
import {
  type HttpResponse,
  type JsonObject,
  parseJsonObject,
  retryAfterMs,
} from '../../http/index.ts'
import { isHeaderValue } from './sources.ts'
import type { AzureToken } from './token.ts'

/**
 * Errors of the token endpoint (RFC 6749 section 5.2, and "Error codes for token endpoint errors" of
 * Microsoft's "OAuth 2.0 client credentials flow"), and of the metadata service ("How to use managed
 * identities on a VM", Error handling). Docs: `docs/providers/azure-key-vault.md`, "Errors".
 */
export const TOKEN_ERRORS: readonly { readonly code: KmsErrorCode; readonly names: string }[] = [
  {
    code: 'ERR_KMS_UNAUTHENTICATED',
    names: 'invalid_client invalid_grant unauthorized_client interaction_required',
  },
  { code: 'ERR_KMS_ACCESS_DENIED', names: 'access_denied' },
  {
    code: 'ERR_KMS_CONFIG',
    names: 'invalid_request invalid_scope invalid_resource unsupported_grant_type bad_request_102',
  },
  { code: 'ERR_KMS_UNAVAILABLE', names: 'temporarily_unavailable server_error unknown' },
]

/** Facts of the call that stand on the error. */
export interface TokenCallFacts {
  readonly provider: string
  readonly nowMs: number
  /** Statuses that this endpoint gives a meaning of its own. */
  readonly unavailable?: readonly number[]
}

/**
 * The token in an answer.
 *
 * @throws KmsError for an error answer, and for one that makes no sense
 */
export function readToken(response: HttpResponse, facts: TokenCallFacts): AzureToken {
  const answer = parseJsonObject(response.body)
  if (response.status !== 200) throw tokenFailure(response, answer, facts)
  const { access_token: token, token_type: type } = answer ?? {}
  const expiresAtMs = expiryOf(answer ?? {}, facts.nowMs)
  if (!isHeaderValue(token) || String(type).toLowerCase() !== 'bearer' || !(expiresAtMs > 0)) {
    throw new KmsError('ERR_KMS_RESPONSE_INVALID', {
      provider: facts.provider,
      message: 'the answer holds no bearer token',
    })
  }
  return { token, expiresAtMs }
}

/** Seconds from now, or since the epoch where there is nothing else (App Service). */
function expiryOf(answer: JsonObject, nowMs: number): number {
  const [life, end] = [seconds(answer['expires_in']), seconds(answer['expires_on'])]
  return Number.isNaN(life) ? end * 1_000 : nowMs + life * 1_000
}

/** A number, or a text of digits as the metadata service writes it. */
function seconds(value: unknown): number {
  if (typeof value === 'number') return Number.isFinite(value) && value > 0 ? value : NaN
  return typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : NaN
}

function tokenFailure(
  { status, headers }: HttpResponse,
  answer: JsonObject | undefined,
  { provider, nowMs, unavailable = [] }: TokenCallFacts,
): KmsError {
  const { error, error_codes: codes } = answer ?? {}
  const name = typeof error === 'string' && /^\w{1,64}$/.test(error) ? error : ''
  // The number tells what the name does not, e.g. 7000222: the client secret is expired.
  const number = Array.isArray(codes) && Number.isInteger(codes[0]) ? ` ${String(codes[0])}` : ''
  const row = TOKEN_ERRORS.find(({ names }) => names.split(' ').includes(name))
  const code = unavailable.includes(status)
    ? 'ERR_KMS_UNAVAILABLE'
    : codeOfStatus(status, row?.code)
  const details = {
    provider,
    operation: 'token',
    status,
    message: name === '' ? undefined : `the token endpoint answered ${name}${number}`,
    requestId: /^[\w-]{1,128}$/.exec(headers.get('x-ms-request-id') ?? '')?.[0],
    retryAfterMs: retryAfterMs(headers, nowMs),
  } as KmsErrorDetails
  return new KmsError(code, details)
}

/** Codes by status, which come before the name: throttled and broken servers reuse names. */
function codeOfStatus(status: number, named: KmsErrorCode | undefined): KmsErrorCode {
  if (status === 429) return 'ERR_KMS_THROTTLED'
  if (status >= 500 || status === 408) return 'ERR_KMS_UNAVAILABLE'
  if (named !== undefined) return named
  if (status === 401) return 'ERR_KMS_UNAUTHENTICATED'
  return status === 403 ? 'ERR_KMS_ACCESS_DENIED' : 'ERR_KMS_RESPONSE_INVALID'
}
