import { plainOptions } from '../../src/checks/index.ts'
import type { KmsError } from '../../src/errors.ts'
import type { Network } from '../../src/index.ts'
import { retrying, webNetwork } from '../../src/runtime/index.ts'
import { type StoreCallOptions, StoreCalls } from '../../src/stores/index.ts'

/** Options of every object store. */
export interface ObjectCallOptions {
  /**
   * How long one request may take, milliseconds; 30,000 by default, at most 60,000. A stream is bounded piece by
   * piece, so the whole may take longer.
   */
  readonly timeoutMs?: number
  readonly network?: Network
}

const DEFAULT_TIMEOUT_MS = 30_000

/** Calls of one object store: bounded, typed, and repeated where they can be. */
export class BoundedCalls {
  readonly #calls: StoreCalls
  readonly #network: Network
  readonly #timeoutMs: number

  /** @throws KmsError `ERR_KMS_CONFIG`, also for options that nobody took before */
  constructor(provider: string, options: StoreCallOptions) {
    const {
      timeoutMs = DEFAULT_TIMEOUT_MS,
      network = webNetwork,
      ...others
    } = plainOptions(options)
    this.#network = network
    this.#timeoutMs = timeoutMs
    this.#calls = new StoreCalls(provider, { timeoutMs, network, ...others })
  }

  /** Makes one call. */
  once<T>(
    operation: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return this.#calls.run(operation, signal, work)
  }

  /**
   * Makes a call, and retries it after a temporary failure, at most four times in all. It does not retry if the
   * server asks for a longer pause than a call may take.
   */
  repeated<T>(
    operation: string,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const attempt = (): Promise<T> => this.#calls.run(operation, signal, work)
    return retrying(attempt, this.#network, signal, this.#timeoutMs)
  }

  /** Returns a stream whose every piece arrives in time. */
  stream(
    body: ReadableStream<Uint8Array>,
    signal: AbortSignal | undefined,
  ): ReadableStream<Uint8Array> {
    const reader = body.getReader()
    return new ReadableStream<Uint8Array>(
      {
        pull: async (to) => {
          const piece = await this.once('get', signal, () => reader.read())
          if (piece.done) to.close()
          else to.enqueue(piece.value)
        },
        cancel: (reason) => {
          void reader.cancel(reason).catch(() => undefined) // it may hang as the body may
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** Returns the error of an answer that makes no sense. */
  wrongAnswer(operation: string, message: string): KmsError {
    return this.#calls.unavailable(operation, message, false)
  }
}
