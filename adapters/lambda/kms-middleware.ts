import { demandFunction, optionError, plainOptions, wrongOption } from '../../src/checks/index.ts'
import { tell } from '../../src/runtime/index.ts'
import { Environment } from './environment.ts'
import { httpProblem } from './http-events.ts'
import type { Invocation } from './invocation.ts'
import type { KmsStack, KmsTools, LambdaContext } from './types.ts'
import type { WithKmsOptions } from './with-kms.ts'

/** The members that the middleware uses of middy's request; middy's own type fits. */
export interface MiddyRequest<C extends LambdaContext = LambdaContext> {
  event: unknown
  context: C
  response: unknown
  error: Error | null | undefined
}

/** The context of a handler behind {@link kmsMiddleware}. */
export type KmsContext<S extends KmsStack, K extends string = 'kms'> = LambdaContext &
  Readonly<Record<K, KmsTools<S>>>

/** A middleware of middy. */
export interface KmsMiddleware<S extends KmsStack, K extends string = 'kms'> {
  readonly name: string
  readonly before: (request: MiddyRequest<KmsContext<S, K>>) => Promise<void>
  readonly after: (request: MiddyRequest<KmsContext<S, K>>) => Promise<void>
  readonly onError: (request: MiddyRequest<KmsContext<S, K>>) => Promise<void>
}

/** Options of {@link kmsMiddleware}. */
export interface KmsMiddlewareOptions<
  S extends KmsStack,
  K extends string = 'kms',
> extends WithKmsOptions<S> {
  /** The name on the context under which the handler finds its tools; `'kms'` by default. */
  readonly contextKey?: K
}

/**
 * Returns a middleware for middy 7: the handler finds `{ ...stack, signal, defer }` on its context, under `kms`.
 *
 * It does what {@link withKms} does: one stack for each execution environment, a signal from the remaining time,
 * deferred work awaited, and errors of edge-kms as HTTP answers. It sets an answer only if no earlier middleware did.
 * If a middleware before it ends the request early, middy skips `after`: put this one last.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { EnvKeyProvider } from 'edge-kms/local'
 * import { kmsMiddleware } from 'edge-kms/lambda'
 *
 * // middy().use(kms).handler(async (event, { kms: { cipher, signal, defer } }) => …)
 * export const kms = kmsMiddleware({
 *   create: () => ({ cipher: new EnvelopeCipher({ kms: new EnvKeyProvider(process.env) }) }),
 * })
 * ```
 */
export function kmsMiddleware<S extends KmsStack, K extends string = 'kms'>(
  options: KmsMiddlewareOptions<S, K>,
): KmsMiddleware<S, K> {
  const { onError = () => undefined, contextKey = 'kms' as K, ...others } = plainOptions(options)
  demandFunction('onError', onError)
  if (typeof contextKey !== 'string' || contextKey === '') {
    throw wrongOption('contextKey', 'a name', contextKey)
  }
  const environment = new Environment<S>(others)
  // By request: invocations overlap.
  const invocations = new WeakMap<object, Invocation>()
  const end = async (request: object): Promise<void> => {
    await invocations.get(request)?.end()
  }
  return {
    name: 'edge-kms',
    async before(request) {
      const context = request.context as Partial<Record<string, unknown>> & LambdaContext
      if (contextKey in (Object(context) as object)) {
        throw optionError('contextKey', `must be free: the context has ${contextKey} already`)
      }
      const invocation = environment.begin(context)
      invocations.set(request, invocation)
      const tools: KmsTools<S> = await environment.toolsOf(invocation)
      Object.assign(context, { [contextKey]: tools })
    },
    after: end,
    async onError(request) {
      await end(request)
      const error = invocations.get(request)?.explained(request.error) ?? request.error
      const problem =
        request.response === undefined ? await httpProblem(error, request.event) : undefined
      if (problem === undefined) return
      tell(onError, error)
      request.response = problem
    },
  }
}
