import { decodeUtf8 } from '../../bytes/index.ts'
import { KmsError, type KmsErrorCode, type KmsErrorDetails } from '../../errors.ts'
import { type HttpResponse, retryAfterMs } from '../../http/index.ts'

/** Codes for some of AWS's errors, and those that a retry with new credentials may mend. */
export interface AwsErrorRow {
  readonly code: KmsErrorCode
  /** AWS's names, with blanks between them and without `Exception`: KMS adds it, STS mostly does not. */
  readonly names: string
  /** `credentials`: new ones may help, once. `clock`: the answer's Date may help, once. */
  readonly mend?: 'credentials' | 'clock'
}

/** Errors of every AWS service (API Reference, "Common Error Types"), by either protocol's name. */
export const COMMON_AWS_ERRORS: readonly AwsErrorRow[] = [
  { code: 'ERR_KMS_ACCESS_DENIED', names: 'AccessDenied NotAuthorized' },
  {
    code: 'ERR_KMS_UNAUTHENTICATED',
    names: 'ExpiredToken InvalidClientTokenId UnrecognizedClient',
    mend: 'credentials',
  },
  {
    code: 'ERR_KMS_UNAUTHENTICATED',
    names: 'InvalidSignature RequestExpired RequestTimeTooSkewed SignatureDoesNotMatch',
    mend: 'clock',
  },
  {
    code: 'ERR_KMS_UNAUTHENTICATED',
    names: 'IncompleteSignature MissingAuthenticationToken',
  },
  { code: 'ERR_KMS_THROTTLED', names: 'Throttling' },
  {
    code: 'ERR_KMS_UNAVAILABLE',
    names: 'InternalFailure RequestAborted RequestTimeout ServiceUnavailable',
  },
  { code: 'ERR_KMS_CONFIG', names: 'Validation ValidationError' },
  { code: 'ERR_KMS_UNSUPPORTED', names: 'UnknownOperation' },
]

/** An error answer, classified. */
export interface AwsFailure {
  readonly error: KmsError
  readonly mend: AwsErrorRow['mend']
  /** The vendor's own name, e.g. `DryRunOperationException`; empty if there is none. */
  readonly name: string
  /** The server's clock; not a number where the answer does not tell it. */
  readonly serverTimeMs: number
}

/** Facts of the call that stand on the error. */
export interface AwsCallFacts {
  readonly provider: string
  readonly operation: string
  readonly nowMs: number
  /** Which key is meant, and where: named where AWS does not know it, for one of the two is wrong. */
  readonly subject?: string | undefined
  readonly region?: string
}

/** Classifies an answer by the vendor's name of the error, else by its status. */
export function awsFailure(
  { status, headers, body }: HttpResponse,
  rows: readonly AwsErrorRow[],
  { provider, operation, nowMs, subject, region }: AwsCallFacts,
): AwsFailure {
  // `com.amazon…#NotFoundException:http://…`, of which the middle counts.
  const type = headers.get('x-amzn-errortype') ?? TYPE.exec(decodeUtf8(body) ?? '')?.[1] ?? ''
  const name = /^(?:[^:]*#)?([A-Za-z]{1,64})(?::|$)/.exec(type)?.[1] ?? ''
  const short = name.replace(/Exception$/, '')
  const row = [...rows, ...COMMON_AWS_ERRORS].find(({ names }) => names.split(' ').includes(short))
  const isUnknown = row?.code === 'ERR_KMS_KEY_NOT_FOUND'
  const place = isUnknown ? `: ${String(subject)} in ${String(region)}` : ''
  const details = {
    provider,
    operation,
    status,
    message: name === '' ? undefined : `AWS answered ${name}${place}`,
    requestId: /^[\w-]{1,128}$/.exec(
      headers.get('x-amzn-requestid') ?? headers.get('x-amz-request-id') ?? '',
    )?.[0],
    retryAfterMs: retryAfterMs(headers, nowMs),
  } as KmsErrorDetails
  return {
    error: new KmsError(row?.code ?? codeOfStatus(status), details),
    mend: row?.mend,
    name,
    serverTimeMs: Date.parse(headers.get('date') ?? ''),
  }
}

/**
 * The fields in which a body names its error: `__type` of KMS, `Code` of STS in JSON and in XML, which gateways
 * speak too. Quotes inside a JSON string are escaped: a message cannot look like this.
 */
const TYPE = /(?:"(?:__type|Code)"\s*:\s*"|<Code>)([^"<]*)/

function codeOfStatus(status: number): KmsErrorCode {
  if (status === 401) return 'ERR_KMS_UNAUTHENTICATED'
  if (status === 403) return 'ERR_KMS_ACCESS_DENIED'
  if (status === 429) return 'ERR_KMS_THROTTLED'
  return status === 408 || status >= 500 ? 'ERR_KMS_UNAVAILABLE' : 'ERR_KMS_RESPONSE_INVALID'
}
