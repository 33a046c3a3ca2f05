import { isKmsError, KMS_ERROR_CODES } from '../../src/index.ts'
import { problemOf } from '../gateway/problem.ts'

/** An answer that API Gateway and function URLs send as an HTTP response. */
export interface HttpProblem {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  /** A problem document of RFC 9457 with `code`, the `KmsError` code. */
  readonly body: string
  readonly isBase64Encoded: false
}

/**
 * Whether an event is an HTTP request whose answer is `{ statusCode, headers, body }`, by its shape:
 *
 * - payload 2.0, of HTTP APIs and function URLs: `version` is `'2.0'`, and `requestContext.http` is an object
 * - payload 1.0, of REST and HTTP APIs: `httpMethod` is a string, and `requestContext` has no `elb`
 *
 * An event for a Lambda authorizer carries the same fields, and an answer in that shape would mean something else
 * there. It has `methodArn`, `routeArn` or `type`, and is never one of these.
 */
export function isHttpEvent(event: unknown): boolean {
  const fields = fieldsOf(event)
  if ('methodArn' in fields || 'routeArn' in fields || 'type' in fields) return false
  if (!isObject(fields['requestContext'])) return false
  if (fields['version'] === '2.0') return isObject(fieldsOf(fields['requestContext'])['http'])
  return typeof fields['httpMethod'] === 'string' && !('elb' in fields['requestContext'])
}

/**
 * Returns an error of edge-kms as an answer: status and document are those of the gateway. Answers `undefined` for
 * any other error, and for an event that is not HTTP: those belong to Lambda.
 */
export async function httpProblem(
  error: unknown,
  event: unknown,
): Promise<HttpProblem | undefined> {
  if (!isKmsError(error) || !isHttpEvent(event)) return undefined
  // Another version of the package may have codes that this one has no status for.
  const response = problemOf(KMS_ERROR_CODES.includes(error.code) ? error : undefined)
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
    isBase64Encoded: false,
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? (value as Readonly<Record<string, unknown>>) : {}
}
