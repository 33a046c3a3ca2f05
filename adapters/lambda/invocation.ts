import { configError } from '../../src/checks/index.ts'
import { KmsError, type Network } from '../../src/index.ts'
import { untilAborted } from '../../src/runtime/index.ts'
import type { InvocationTools, LambdaContext } from './types.ts'

/** The longest that timers count; Lambda ends earlier. */
const MAX_DELAY_MS = 2 ** 31 - 1

/** The time and the deferred work of one invocation. */
export class Invocation implements InvocationTools {
  readonly signal: AbortSignal
  readonly defer: (work: Promise<unknown>) => void
  readonly #pending = new Set<Promise<unknown>>()
  readonly #stopTimer: () => void

  /** @throws KmsError `ERR_KMS_CONFIG` if the context is not Lambda's */
  constructor(
    context: LambdaContext,
    { marginMs, network }: { readonly marginMs: number; readonly network: Pick<Network, 'after'> },
  ) {
    const leftMs = remainingMs(context) - marginMs
    const ended = new AbortController()
    const abort = (): void => {
      const message = `less than ${String(marginMs)} ms of the invocation are left`
      ended.abort(new DOMException(message, 'TimeoutError'))
    }
    this.signal = ended.signal
    this.#stopTimer =
      leftMs > 0 ? network.after(Math.min(leftMs, MAX_DELAY_MS), abort) : () => undefined
    if (leftMs <= 0) abort()
    this.defer = (work) => {
      const settled = Promise.resolve(work).then(done, done)
      this.#pending.add(settled)
      void settled.then(() => this.#pending.delete(settled))
    }
  }

  /** Waits for deferred work, and for what that defers, until the signal aborts; then stops the clock. */
  async end(): Promise<void> {
    try {
      while (this.#pending.size > 0 && !this.signal.aborted) {
        await untilAborted(Promise.all(this.#pending), this.signal)
      }
    } catch {
      // The time is up: the answer matters more than the work.
    } finally {
      this.#stopTimer()
    }
  }

  /** Returns the error as it is, and `ERR_KMS_TIMEOUT` instead of the signal's own reason. */
  explained(error: unknown): unknown {
    if (!this.signal.aborted || error !== this.signal.reason) return error
    const message = 'the time of the invocation ran out: raise its timeout, or lower marginMs'
    return new KmsError('ERR_KMS_TIMEOUT', { message, cause: error })
  }
}

function remainingMs(context: LambdaContext): number {
  const { getRemainingTimeInMillis } = Object(context) as Partial<LambdaContext>
  const left: unknown = getRemainingTimeInMillis?.call(context)
  if (typeof left === 'number' && !Number.isNaN(left)) return left
  throw configError('the second argument must be a Lambda context with getRemainingTimeInMillis()')
}

const done = (): void => undefined
