import { demandFunction, plainOptions } from '../../src/checks/index.ts'
import { tell } from '../../src/runtime/index.ts'
import { Environment } from './environment.ts'
import { type HttpProblem, httpProblem } from './http-events.ts'
import type { KmsStack, KmsTools, LambdaContext, LambdaOptions } from './types.ts'

/** Options of {@link withKms}. */
export interface WithKmsOptions<S extends KmsStack> extends LambdaOptions<S> {
  /** Called with every error that becomes an HTTP answer, for logs: the client sees little more than its code. */
  readonly onError?: (error: unknown) => void
}

/**
 * Returns a Lambda handler that gives yours a cipher, a signal and `defer`.
 *
 * `create` runs once for each execution environment. The handler's third argument holds what it returned, a `signal`
 * that aborts before the time ends, and `defer`. Deferred work is awaited before the function answers.
 *
 * For API Gateway (payload 1.0 and 2.0) and function URLs an error of edge-kms becomes a problem document with
 * the status that the gateway gives it. For any other event, and any other error, the handler rejects.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a wrong option; the returned handler rejects with the error of `create` or of
 * your handler, and with `ERR_KMS_TIMEOUT` if `signal` aborted
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { awsCredentialsFromEnv, createAwsKms } from 'edge-kms/aws-kms'
 * import { withKms } from 'edge-kms/lambda'
 *
 * export const handler = withKms(
 *   async (event: { body: string }, _context, { cipher, signal, defer }) => {
 *     const options = { context: { app: 'orders' }, signal, defer }
 *     return { statusCode: 200, body: await cipher.encryptText(event.body, options) }
 *   },
 *   {
 *     create: () => {
 *       const credentials = async () => awsCredentialsFromEnv(process.env)
 *       const kms = createAwsKms({ keyId: process.env['KMS_KEY_ARN'] ?? '', credentials })
 *       return { cipher: new EnvelopeCipher({ kms }) }
 *     },
 *   },
 * )
 * ```
 */
export function withKms<E, R, S extends KmsStack, C extends LambdaContext = LambdaContext>(
  handler: (event: E, context: C, kms: KmsTools<S>) => R | Promise<R>,
  options: WithKmsOptions<S>,
): (event: E, context: C) => Promise<R | HttpProblem> {
  demandFunction('handler', handler)
  const { onError = () => undefined, ...others } = plainOptions(options)
  demandFunction('onError', onError)
  const environment = new Environment<S>(others)
  return async (event, context) => {
    try {
      return await environment.run(context, (kms) => handler(event, context, kms))
    } catch (error) {
      const problem = await httpProblem(error, event)
      if (problem === undefined) throw error
      tell(onError, error)
      return problem
    }
  }
}
