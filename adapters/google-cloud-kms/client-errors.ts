import { isKmsError, KmsError } from '../../src/index.ts'
import {
  gcpKmsError,
  type GcpKmsMethods,
  type GcpStatus,
} from '../../src/providers/gcp-kms/index.ts'

/** google.rpc.Code, by number. */
const CODES = [
  ...['', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND'],
  ...['ALREADY_EXISTS', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION'],
  ...['ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'],
  'UNAUTHENTICATED',
]

type Fields = Readonly<Record<string, unknown>>

/**
 * Returns the rejection of the client as an error of ours. The client's own error is never a cause: it
 * may carry the request, and with it a data key.
 */
export function clientError(method: keyof GcpKmsMethods, thrown: unknown): KmsError {
  if (isKmsError(thrown)) return thrown
  const error = fieldsOf(thrown)
  const status = statusOf(error)
  if (status !== undefined) return gcpKmsError(method, status)
  const facts = { provider: 'gcp-kms', operation: method }
  // Over REST the client reads answers as JSON, whatever they are.
  if (thrown instanceof SyntaxError)
    return new KmsError('ERR_KMS_RESPONSE_INVALID', { ...facts, message: 'the answer is not JSON' })
  if (/^Could not load the default credentials/.test(textOf(error['message'])))
    return new KmsError('ERR_KMS_UNAUTHENTICATED', {
      ...facts,
      message: 'the client found no default credentials: set GOOGLE_APPLICATION_CREDENTIALS',
    })
  const word = [error['code'], error['name']].find(isWord)
  return new KmsError('ERR_KMS_UNAVAILABLE', { ...facts, cause: new Error(word) })
}

/** Returns the answer of Cloud KMS or of a token endpoint; `undefined` if nobody answered. */
function statusOf(error: Fields): GcpStatus | undefined {
  const answered = 'response' in error ? fieldsOf(error['response']) : undefined
  const http = answered?.['status'] ?? error['status']
  const status = typeof http === 'number' && http >= 400 && http < 600 ? http : undefined
  const word = bodyOf(error, answered)['error']
  // RFC 6749 section 5.2: it is the credentials that were refused.
  if (typeof word === 'string') return { canonical: 'UNAUTHENTICATED', status }
  const told = typeof word === 'object' ? fieldsOf(word) : error
  const { code, message } = told
  const named = typeof told['status'] === 'string' ? told['status'] : ''
  const numbered = typeof code === 'number' && answered === undefined ? (CODES[code] ?? '') : ''
  const canonical = named === '' ? numbered : named
  if (canonical === '' && status === undefined) return undefined
  const details = [told['statusDetails'], told['details']].find(Array.isArray) as
    unknown[] | undefined
  const list = (details ?? []).slice(0, 16).map(fieldsOf)
  return {
    canonical,
    reasons: [told['reason'], ...list.flatMap(reasonsOf)].filter((one) => typeof one === 'string'),
    message: textOf(message),
    status,
    retryAfterMs: list.map(delayOf).find(Number.isFinite),
  }
}

/** The body of an answer over REST: some of the client's errors have it as their message alone. */
function bodyOf({ message }: Fields, answered: Fields | undefined): Fields {
  const { data } = answered ?? {}
  const text = textOf(message)
  if (answered === undefined || typeof data === 'object' || !text.startsWith('{'))
    return fieldsOf(data)
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    return {}
  }
}

/** Of google.rpc.ErrorInfo and google.rpc.PreconditionFailure. */
function reasonsOf(detail: Fields): unknown[] {
  const violations: readonly unknown[] = Array.isArray(detail['violations'])
    ? (detail['violations'] as unknown[]).slice(0, 16)
    : []
  return [detail['reason'], ...violations.map((one) => fieldsOf(one)['type'])]
}

/** Of google.rpc.RetryInfo, in milliseconds; `seconds` may be a Long, which is its number in decimal. */
function delayOf(detail: Fields): number {
  if (!('retryDelay' in detail)) return NaN
  const { seconds, nanos } = fieldsOf(detail['retryDelay'])
  const ms = Number(seconds ?? 0) * 1_000 + Number(nanos ?? 0) / 1e6
  return ms >= 0 ? Math.min(ms, 300_000) : NaN
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function isWord(text: unknown): text is string {
  return typeof text === 'string' && text !== 'Error' && /^\w{1,64}$/.test(text)
}

function fieldsOf(value: unknown): Fields {
  return Object(value) as Fields
}
