import { plainOptions, refuseOthers, wrongNumber, wrongOption } from '../checks/index.ts'
import { isKmsError, KmsError } from '../errors.ts'
import type { Network } from '../ports/index.ts'
import { webNetwork, withTimeout } from '../runtime/index.ts'

/** Options of every store outside this process. */
export interface StoreCallOptions {
  /** How long the backend may take for one call, milliseconds; 2,000 by default, at most 60,000. */
  readonly timeoutMs?: number
  readonly network?: Network
}

/** Upper case words at the start of a message are codes: `WRONGPASS …`, `D1_ERROR: …`. */
const CODE_WORD = /^[A-Z][A-Z0-9_]{1,31}(?=[ :]|$)/
const NAME = /^\w{1,64}$/

/**
 * Runs the calls of one backend: each ends at its deadline or the caller's abort, and fails with one error code.
 *
 * @example
 * ```ts
 * import { StoreCalls } from 'edge-kms/stores'
 *
 * const calls = new StoreCalls('my-backend', { timeoutMs: 500 })
 *
 * export function read(url: string, signal?: AbortSignal): Promise<ArrayBuffer> {
 *   return calls.run('get', signal, async (until) => (await fetch(url, { signal: until })).arrayBuffer())
 * }
 * ```
 */
export class StoreCalls {
  readonly #provider: string
  readonly #timeoutMs: number
  readonly #network: Network

  /**
   * @param options - the options that the store itself does not know; unknown ones are refused
   * @throws KmsError `ERR_KMS_CONFIG`
   */
  constructor(provider: string, options: StoreCallOptions) {
    const { timeoutMs = 2_000, network = webNetwork, ...others } = plainOptions(options)
    refuseOthers(others)
    if (typeof timeoutMs !== 'number' || !(timeoutMs > 0 && timeoutMs <= 60_000)) {
      throw wrongNumber('timeoutMs', 'above 0 and at most 60000', timeoutMs)
    }
    this.#provider = provider
    this.#timeoutMs = timeoutMs
    this.#network = network
  }

  /**
   * Runs the work and returns its result.
   *
   * @param work - its signal aborts with the caller's and at the deadline. Parse the answer inside it, so that an
   * answer of the wrong shape fails like any other
   * @throws KmsError `ERR_STORE_UNAVAILABLE`; or the signal's reason
   */
  async run<T>(
    operation: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return withTimeout(
      async (until) => {
        try {
          return await work(until)
        } catch (error) {
          throw this.#safelyTyped(operation, error)
        }
      },
      {
        timeoutMs: this.#timeoutMs,
        signal,
        network: this.#network,
        error: () => this.unavailable(operation, 'the store did not answer in time'),
      },
    )
  }

  /** Returns the error for a value that this package did not write; a retry does not help. */
  unreadable(operation: string): KmsError {
    return this.unavailable(operation, 'edge-kms did not write the value in the store', false)
  }

  /** Returns an `ERR_STORE_UNAVAILABLE` of this backend. */
  unavailable(operation: string, message: string, retryable = true): KmsError {
    const provider = this.#provider
    return new KmsError('ERR_STORE_UNAVAILABLE', { provider, operation, message, retryable })
  }

  /** Rejects with `ERR_KMS_UNSUPPORTED`: the backend cannot compare and swap atomically. */
  cannotSwap(): Promise<never> {
    const facts = { provider: this.#provider, operation: 'compareAndSwap' }
    return Promise.reject(new KmsError('ERR_KMS_UNSUPPORTED', facts))
  }

  /** A thrown value may throw itself when it is read. */
  #safelyTyped(operation: string, error: unknown): KmsError {
    try {
      return this.#typed(operation, error)
    } catch {
      return this.unavailable(operation, 'the store threw a value that is not an error')
    }
  }

  /** Of what was thrown only codes are kept: messages may hold values, URLs and tokens. */
  #typed(operation: string, error: unknown): KmsError {
    const provider = this.#provider
    if (!isKmsError(error)) {
      return new KmsError('ERR_STORE_UNAVAILABLE', { provider, operation, cause: codeOf(error) })
    }
    if (error.code === 'ERR_STORE_UNAVAILABLE' || error.code === 'ERR_KMS_CONFIG') return error
    const { message, retryable, status, retryAfterMs, cause } = error
    return new KmsError('ERR_STORE_UNAVAILABLE', {
      provider,
      operation,
      message: `the store cannot be used: ${message}`,
      retryable,
      cause,
      ...(status !== undefined && { status }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    })
  }
}

/**
 * Returns a binding or client that has the method, so that a binding missing from the configuration fails at
 * construction.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkBinding<T extends object>(name: string, binding: T, method: keyof T): T {
  if (typeof (binding as Partial<T> | null | undefined)?.[method] !== 'function') {
    throw wrongOption(name, `a binding or client with the method \`${String(method)}\``, binding)
  }
  return binding
}

function codeOf(error: unknown): Error {
  const { code, name, message } = Object(error) as Readonly<Record<string, unknown>>
  const word = typeof message === 'string' ? CODE_WORD.exec(message)?.[0] : undefined
  return new Error(word ?? [code, name].find((one): one is string => isName(one)))
}

function isName(word: unknown): word is string {
  return typeof word === 'string' && NAME.test(word)
}
