import { KmsError } from '../errors.ts'
import { discard, type KmsSignalOptions } from '../kms/index.ts'
import type { KmsOperation } from '../ports/index.ts'
import { untilAborted } from '../runtime/index.ts'
import type { InnerCall, Ports } from './service.ts'

/** What bounds a call, and whose it is. */
export interface CallBound {
  /** In milliseconds; `undefined`: the caller's signal alone. */
  readonly timeoutMs: number | undefined
  readonly provider: string
  readonly operation: KmsOperation
}

/**
 * One call that ends in time, whether the service listens to its signal or not. What it answers
 * after that is wiped.
 *
 * @throws KmsError `ERR_KMS_TIMEOUT`; the signal's reason; what the call throws
 */
export async function boundedCall<T, O extends KmsSignalOptions>(
  { network, runtime }: Ports,
  { timeoutMs, provider, operation }: CallBound,
  options: O,
  call: InnerCall<T, O>,
): Promise<T> {
  const { signal } = options
  signal?.throwIfAborted()
  const ended = new AbortController()
  const stop = (): void => {
    ended.abort(signal?.reason)
  }
  signal?.addEventListener('abort', stop, { once: true })
  const until = timeoutMs === undefined ? Infinity : runtime.now() + timeoutMs
  const deadlineMs = Math.min(options.deadlineMs ?? Infinity, until)
  const cancel =
    timeoutMs === undefined
      ? undefined
      : network.after(timeoutMs, () => {
          ended.abort(new KmsError('ERR_KMS_TIMEOUT', { provider, operation }))
        })
  const ask = async (): Promise<T> =>
    call({ ...options, signal: ended.signal, ...(deadlineMs < Infinity && { deadlineMs }) })
  const work = ask()
  try {
    return await untilAborted(work, ended.signal)
  } catch (error) {
    if (ended.signal.aborted) work.then(discard, () => undefined)
    throw error
  } finally {
    cancel?.()
    signal?.removeEventListener('abort', stop)
  }
}
