import { decodeUtf8 } from '../../bytes/index.ts'
import { KmsError, type KmsErrorCode } from '../../errors.ts'
import {
  type HttpResponse,
  type JsonObject,
  parseJsonObject,
  retryAfterMs,
} from '../../http/index.ts'

/** What one AWS error means, and what may be mended before it is given to the caller. */
export interface AwsErrorRow {
  readonly code: KmsErrorCode
  /** `credentials`: new ones may help, once. `clock`: the answer's Date may help, once. */
  readonly mend?: 'credentials' | 'clock'
}

/** Errors of every AWS service (API Reference, "Common Errors"), and of STS. */
export const COMMON_AWS_ERRORS: ReadonlyMap<string, AwsErrorRow> = new Map<string, AwsErrorRow>([
  ['AccessDenied', { code: 'ERR_KMS_ACCESS_DENIED' }],
  ['AccessDeniedException', { code: 'ERR_KMS_ACCESS_DENIED' }],
  ['ExpiredToken', { code: 'ERR_KMS_UNAUTHENTICATED', mend: 'credentials' }],
  ['ExpiredTokenException', { code: 'ERR_KMS_UNAUTHENTICATED', mend: 'credentials' }],
  ['IDPCommunicationError', { code: 'ERR_KMS_UNAVAILABLE' }],
  ['IDPRejectedClaim', { code: 'ERR_KMS_UNAUTHENTICATED' }],
  ['IncompleteSignature', { code: 'ERR_KMS_UNAUTHENTICATED' }],
  ['IncompleteSignatureException', { code: 'ERR_KMS_UNAUTHENTICATED' }],
  ['InternalFailure', { code: 'ERR_KMS_UNAVAILABLE' }],
  ['InternalServerError', { code: 'ERR_KMS_UNAVAILABLE' }],
  ['InvalidClientTokenId', { code: 'ERR_KMS_UNAUTHENTICATED', mend: 'credentials' }],
  ['InvalidIdentityToken', { code: 'ERR_KMS_UNAUTHENTICATED' }],
  ['InvalidIdentityTokenException', { code: 'ERR_KMS_UNAUTHENTICATED' }],
  ['InvalidSignatureException', { code: 'ERR_KMS_UNAUTHENTICATED', mend: 'clock' }],
  ['MissingAuthenticationToken', { code: 'ERR_KMS_UNAUTHENTICATED' }],
  ['MissingAuthenticationTokenException', { code: 'ERR_KMS_UNAUTHENTICATED' }],
  ['RegionDisabledException', { code: 'ERR_KMS_CONFIG' }],
  ['RequestExpired', { code: 'ERR_KMS_UNAUTHENTICATED', mend: 'clock' }],
  ['RequestTimeTooSkewed', { code: 'ERR_KMS_UNAUTHENTICATED', mend: 'clock' }],
  ['RequestTimeout', { code: 'ERR_KMS_UNAVAILABLE' }],
  ['ServiceUnavailable', { code: 'ERR_KMS_UNAVAILABLE' }],
  ['SignatureDoesNotMatch', { code: 'ERR_KMS_UNAUTHENTICATED', mend: 'clock' }],
  ['Throttling', { code: 'ERR_KMS_THROTTLED' }],
  ['ThrottlingException', { code: 'ERR_KMS_THROTTLED' }],
  ['UnrecognizedClientException', { code: 'ERR_KMS_UNAUTHENTICATED', mend: 'credentials' }],
  ['ValidationError', { code: 'ERR_KMS_CONFIG' }],
  ['ValidationException', { code: 'ERR_KMS_CONFIG' }],
])

/** An error answer, classified. */
export interface AwsFailure {
  readonly error: KmsError
  readonly mend?: AwsErrorRow['mend']
  /** The vendor's own name, e.g. `DryRunOperationException`. */
  readonly name: string
  /** The server's clock, where the answer tells it. */
  readonly serverTimeMs?: number
}

/** Facts of the call that stand on the error. */
export interface AwsCallFacts {
  readonly provider: string
  readonly operation: string
  readonly nowMs: number
}

/** Classifies an answer by the vendor's name of the error, else by its status. */
export function awsFailure(
  response: HttpResponse,
  rows: ReadonlyMap<string, AwsErrorRow>,
  facts: AwsCallFacts,
): AwsFailure {
  const name = errorName(response)
  const row = rows.get(name) ??
    COMMON_AWS_ERRORS.get(name) ?? { code: codeOfStatus(response.status) }
  const requestId = response.headers.get('x-amzn-requestid') ?? undefined
  const retryAfter = retryAfterMs(response.headers, facts.nowMs)
  const date = Date.parse(response.headers.get('date') ?? '')
  return {
    error: new KmsError(row.code, {
      provider: facts.provider,
      operation: facts.operation,
      status: response.status,
      ...(name !== '' && { message: `AWS answered ${name}` }),
      ...(requestId !== undefined && /^[\w-]{1,128}$/.test(requestId) && { requestId }),
      ...(retryAfter !== undefined && { retryAfterMs: retryAfter }),
    }),
    name,
    ...(row.mend !== undefined && { mend: row.mend }),
    ...(!Number.isNaN(date) && { serverTimeMs: date }),
  }
}

/** The short name: `com.amazon…#NotFoundException:http://…` is `NotFoundException`. Empty if there is none. */
function errorName(response: HttpResponse): string {
  const type = response.headers.get('x-amzn-errortype') ?? jsonCode(response) ?? xmlCode(response)
  if (typeof type !== 'string') return ''
  const name = type.replace(/:.*$/s, '').replace(/^.*#/s, '')
  return /^[A-Za-z]{1,64}$/.test(name) ? name : ''
}

/** JSON services say `__type`; STS, asked for JSON, says `Error.Code`. */
function jsonCode(response: HttpResponse): unknown {
  const body = parseJsonObject(response.body)
  const error = body?.['Error']
  if (typeof error === 'object' && error !== null) return (error as JsonObject)['Code']
  return body?.['__type']
}

/** STS answers in XML, and so do signature errors of some gateways. */
function xmlCode(response: HttpResponse): string | undefined {
  const text = decodeUtf8(response.body.subarray(0, 4_096))
  return text === undefined ? undefined : /<Code>([A-Za-z]{1,64})<\/Code>/.exec(text)?.[1]
}

function codeOfStatus(status: number): KmsErrorCode {
  if (status === 401) return 'ERR_KMS_UNAUTHENTICATED'
  if (status === 403) return 'ERR_KMS_ACCESS_DENIED'
  if (status === 429) return 'ERR_KMS_THROTTLED'
  if (status === 408 || status >= 500) return 'ERR_KMS_UNAVAILABLE'
  return 'ERR_KMS_RESPONSE_INVALID'
}
