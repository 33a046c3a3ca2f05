import { KmsError, type KmsErrorCode, type KmsErrorDetails } from '../../errors.ts'
import {
  type HttpResponse,
  type JsonObject,
  parseJsonObject,
  retryAfterMs,
  stringField,
} from '../../http/index.ts'
import type { GcpAccessToken } from './credentials.ts'
import { type GcpCallFacts, gcpFailure, objectField } from './errors.ts'
import { checkToken } from './sources.ts'

/** Errors of token endpoints: RFC 6749 section 5.2, RFC 8693 section 2.2.2. */
const OAUTH_ERRORS: Readonly<Record<string, KmsErrorCode>> = {
  access_denied: 'ERR_KMS_ACCESS_DENIED',
  invalid_client: 'ERR_KMS_UNAUTHENTICATED',
  invalid_grant: 'ERR_KMS_UNAUTHENTICATED',
  invalid_request: 'ERR_KMS_CONFIG',
  invalid_scope: 'ERR_KMS_CONFIG',
  invalid_target: 'ERR_KMS_CONFIG',
  server_error: 'ERR_KMS_UNAVAILABLE',
  temporarily_unavailable: 'ERR_KMS_UNAVAILABLE',
  unauthorized_client: 'ERR_KMS_UNAUTHENTICATED',
  unsupported_grant_type: 'ERR_KMS_CONFIG',
}

/**
 * The token in an answer of a token endpoint (RFC 6749 section 5.1).
 *
 * @throws KmsError for an error answer, and `ERR_KMS_RESPONSE_INVALID` for one that makes no sense
 */
export function readTokenAnswer(response: HttpResponse, facts: GcpCallFacts): GcpAccessToken {
  const answer = parseJsonObject(response.body)
  if (response.status !== 200) throw failure(response, answer, facts)
  const invalid = (message: string): KmsError => {
    const { provider, operation } = facts
    return new KmsError('ERR_KMS_RESPONSE_INVALID', { provider, operation, message })
  }
  if (answer === undefined) throw invalid('the answer is not a JSON object')
  if (!/^bearer$/i.test(stringField(answer, 'token_type')))
    throw invalid('token_type of the answer must be Bearer')
  const seconds = answer['expires_in']
  if (typeof seconds !== 'number' || !(seconds > 0 && seconds <= 86_400))
    throw invalid('expires_in of the answer must be above 0, at most 86400')
  const token = stringField(answer, 'access_token')
  return takeToken({ token, expiresAtMs: facts.nowMs + seconds * 1_000 }, facts)
}

/** A token of an answer, checked as one of the configuration is. */
export function takeToken(token: GcpAccessToken, facts: GcpCallFacts): GcpAccessToken {
  try {
    return checkToken(token)
  } catch {
    const { provider, operation } = facts
    const message = 'the answer holds no access token'
    throw new KmsError('ERR_KMS_RESPONSE_INVALID', { provider, operation, message })
  }
}

function failure(
  response: HttpResponse,
  answer: JsonObject | undefined,
  facts: GcpCallFacts,
): KmsError {
  const word = answer?.['error']
  const code =
    typeof word === 'string' && Object.hasOwn(OAUTH_ERRORS, word) ? OAUTH_ERRORS[word] : undefined
  // Also where Google's other form of errors comes, or none.
  if (code === undefined || objectField(answer, 'error') !== undefined)
    return gcpFailure(response, facts)
  const { provider, operation, nowMs } = facts
  return new KmsError(code, {
    provider,
    operation,
    status: response.status,
    message: `Google answered ${String(word)}`,
    retryAfterMs: retryAfterMs(response.headers, nowMs),
  } as KmsErrorDetails)
}
