import type { EnvelopeCipher, Network } from '../../src/index.ts'

/** The members that we read of Lambda's context object; the types of `@types/aws-lambda` fit. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number
}

/** The result of `create`: a plain object with a cipher, and with anything else that your handlers use. */
export interface KmsStack {
  readonly cipher: EnvelopeCipher
}

/** The tools that every handler gets for its invocation, beside the result of `create`. */
export interface InvocationTools {
  /**
   * Aborts `marginMs` before the invocation's time ends, with a `TimeoutError`. Pass it to the cipher and to your
   * own calls.
   */
  readonly signal: AbortSignal
  /**
   * Takes work that may finish after your handler has returned. The function answers only when all of this work has
   * settled, or when `signal` aborts, because Lambda freezes the process after the answer. A rejection is ignored.
   * Pass `defer` to the cipher, which renews data keys with it.
   */
  readonly defer: (work: Promise<unknown>) => void
}

/** The last argument of a handler: what `create` returned, `signal` and `defer`. */
export type KmsTools<S extends KmsStack = KmsStack> = S & InvocationTools

/** Options of every wrapper of `edge-kms/lambda`. */
export interface LambdaOptions<S extends KmsStack> {
  /**
   * Makes the stack, once for each execution environment. If it throws, the invocation fails and the next one
   * tries again. All invocations share the result, also at the same time: keep nothing of a request in it.
   */
  readonly create: () => S | Promise<S>
  /** Calls `create` when you wrap the handler, in the init phase, instead of at the first invocation; `false` by default. */
  readonly init?: boolean
  /**
   * How long before the end of the invocation `signal` aborts, in milliseconds, 0 to 60,000; 500 by default. Your
   * handler must end and the answer must be sent in that time.
   */
  readonly marginMs?: number
  /** Replaces the timers, for tests. */
  readonly network?: Pick<Network, 'after'>
}
