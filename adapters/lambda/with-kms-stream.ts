import { demandFunction, plainOptions } from '../../src/checks/index.ts'
import { tell } from '../../src/runtime/index.ts'
import { base64Of } from './answer-body.ts'
import { Environment } from './environment.ts'
import { httpProblem } from './http-events.ts'
import {
  AnswerSender,
  type AwsLambdaGlobal,
  checkedAnswer,
  type ResponseStream,
  type StreamedAnswer,
} from './response-stream.ts'
import type { KmsStack, KmsTools, LambdaContext } from './types.ts'
import type { WithKmsOptions } from './with-kms.ts'

type Handler<E, S extends KmsStack, C> = (
  event: E,
  context: C,
  kms: KmsTools<S>,
) => StreamedAnswer | Promise<StreamedAnswer>

/** A streamed answer in one piece, as API Gateway and function URLs take it. */
export interface BufferedAnswer extends Omit<StreamedAnswer, 'body'> {
  readonly statusCode: number
  readonly body: string
  readonly isBase64Encoded: boolean
}

/**
 * Returns a handler that streams your answer through `awslambda.streamifyResponse`, for function URLs and API Gateway
 * with response streaming. Your handler returns status, headers and a body, which may be a `ReadableStream`.
 *
 * Status and headers are sent with the first piece of the body. An error of edge-kms before that becomes a problem
 * document, as with {@link withKms}. If the body fails later, the response breaks off: it never ends cleanly.
 *
 * Without `awslambda`, as in local tests, the returned handler takes `(event, context)` and returns the same answer
 * in one piece.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { EnvKeyProvider } from 'edge-kms/local'
 * import { withKmsStream } from 'edge-kms/lambda'
 *
 * export const handler = withKmsStream(
 *   async (event: { rawPath: string }, _context, { cipher, signal, defer }) => {
 *     const file = await fetch(`https://files.example.com${event.rawPath}`, { signal })
 *     const options = { context: { app: 'files' }, signal, defer }
 *     const body = file.body?.pipeThrough(cipher.decryptStream(options))
 *     return { headers: { 'content-type': 'application/octet-stream' }, ...(body && { body }) }
 *   },
 *   { create: () => ({ cipher: new EnvelopeCipher({ kms: new EnvKeyProvider(process.env) }) }) },
 * )
 * ```
 */
export function withKmsStream<E, S extends KmsStack, C extends LambdaContext = LambdaContext>(
  handler: Handler<E, S, C>,
  options: WithKmsOptions<S>,
): (event: E, context: C) => Promise<BufferedAnswer> {
  demandFunction('handler', handler)
  const { onError = () => undefined, ...others } = plainOptions(options)
  demandFunction('onError', onError)
  const parts = { handler, environment: new Environment<S>(others), onError }
  const { awslambda } = globalThis as { awslambda?: AwsLambdaGlobal }
  if (awslambda === undefined) return buffered(parts)
  // Lambda calls it with its response stream in between; nobody else does.
  return awslambda.streamifyResponse(streamed(parts, awslambda)) as never
}

interface Parts<E, S extends KmsStack, C> {
  readonly handler: Handler<E, S, C>
  readonly environment: Environment<S>
  readonly onError: (error: unknown) => void
}

function streamed<E, S extends KmsStack, C extends LambdaContext>(
  { handler, environment, onError }: Parts<E, S, C>,
  lambda: AwsLambdaGlobal,
) {
  return async (event: E, stream: ResponseStream, context: C): Promise<void> => {
    const sender = new AnswerSender(lambda, stream)
    try {
      await environment.run(context, async (kms) => {
        await sender.send(await handler(event, context, kms), kms.signal)
      })
    } catch (error) {
      const problem = sender.started ? undefined : await httpProblem(error, event)
      if (problem === undefined) throw error
      tell(onError, error)
      await sender.send(problem)
    }
  }
}

function buffered<E, S extends KmsStack, C extends LambdaContext>({
  handler,
  environment,
  onError,
}: Parts<E, S, C>) {
  return async (event: E, context: C): Promise<BufferedAnswer> => {
    try {
      return await environment.run(context, async (kms) => {
        const answer = checkedAnswer(await handler(event, context, kms))
        const { statusCode = 200, body, ...rest } = answer
        return {
          ...rest,
          statusCode,
          body: await base64Of(body, kms.signal),
          isBase64Encoded: true,
        }
      })
    } catch (error) {
      const problem = await httpProblem(error, event)
      if (problem === undefined) throw error
      tell(onError, error)
      return problem
    }
  }
}
