import { demandFunction, plainOptions, refuseOthers } from '../../src/checks/index.ts'
import { isKmsError, KMS_ERROR_CODES, KmsError } from '../../src/index.ts'
import { tell } from '../../src/runtime/index.ts'
import { problemOf } from './problem.ts'

/** Answers an error; `context` is hono's `c`. */
export type ErrorAnswer<C> = (error: Error, context: C) => Response | Promise<Response>

/** Options of {@link kmsErrorHandler}. */
export interface KmsErrorHandlerOptions<C> {
  /**
   * Answers every error that is not one of edge-kms. By default hono's `HTTPException` answers for itself, and any
   * other error becomes a problem document with status 500 that does not reveal the error.
   */
  readonly otherwise?: ErrorAnswer<C> | undefined
  /** Called with each error that became a problem document, for your log. An error that it throws is dropped. */
  readonly onError?: ((error: Error, context: C) => void) | undefined
}

/**
 * Returns an error handler for `app.onError` of hono: a `KmsError` becomes a problem document of RFC 9457 with the
 * same status as in the gateway and in `edge-kms/lambda`, and `Retry-After` if the KMS names a wait. The document holds
 * the code and its fixed title, never the error's own message, its cause or anything of the request.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a wrong or unknown option
 *
 * @example
 * ```ts
 * import { Hono } from 'hono'
 * import { kmsErrorHandler } from 'edge-kms/gateway'
 *
 * const app = new Hono()
 * app.onError(kmsErrorHandler({ onError: (error) => console.error(error) }))
 * export default app
 * ```
 */
export function kmsErrorHandler<C = unknown>(
  options: KmsErrorHandlerOptions<C> = {},
): ErrorAnswer<C> {
  const { otherwise, onError, ...others } = plainOptions(options)
  refuseOthers(others)
  if (otherwise !== undefined) demandFunction('otherwise', otherwise)
  if (onError !== undefined) demandFunction('onError', onError)

  return (error, context) => {
    const isOurs = isKmsError(error)
    if (!isOurs && otherwise !== undefined) return otherwise(error, context)
    const own = isOurs ? undefined : answerOf(error)
    if (own !== undefined) return answered(own, context)
    tell(onError, error, context)
    return answered(problemOf(isOurs ? bare(error) : undefined), context)
  }
}

/** Returns the parts of an error that every caller may see. Another version of the package may have other codes. */
function bare({ code, retryable, retryAfterMs = NaN }: KmsError): KmsError | undefined {
  if (!KMS_ERROR_CODES.includes(code)) return undefined
  return new KmsError(code, { retryable, ...(retryAfterMs >= 0 && { retryAfterMs }) })
}

/** Returns what an `HTTPException` answers. Found by its method, as hono does: there may be two honos in an app. */
function answerOf(error: Error): Response | undefined {
  const { getResponse } = Object(error) as { getResponse?: unknown }
  if (typeof getResponse !== 'function') return undefined
  try {
    const response: unknown = Reflect.apply(getResponse, error, [])
    // A body that was sent before, of an exception that a route throws twice, cannot be sent again.
    return response instanceof Response && !response.bodyUsed ? response : undefined
  } catch {
    return undefined
  }
}

/** Headers of the body that the route wanted to send: wrong for any other body. */
const BODY_HEADERS = [
  'content-length',
  'content-encoding',
  'content-range',
  'content-disposition',
  'etag',
]

interface MakesResponses {
  newResponse(body: BodyInit | null, init: Response): Response
}

/** Returns the answer with the headers that `c.header` set before, such as a request id, as hono does. */
function answered(response: Response, context: unknown): Response {
  if (!makesResponses(context)) return response
  const answer = context.newResponse(response.body, response)
  for (const name of BODY_HEADERS) if (!response.headers.has(name)) answer.headers.delete(name)
  return answer
}

function makesResponses(context: unknown): context is MakesResponses {
  return typeof (Object(context) as Partial<MakesResponses>).newResponse === 'function'
}
