import { KmsError, type KmsSignalOptions, type Network } from '../../src/index.ts'
import type {
  GcpKmsAnswer,
  GcpKmsMethods,
  GcpKmsTransport,
} from '../../src/providers/gcp-kms/index.ts'
import { answerOf, wipe } from './answers.ts'
import type { CloudKmsCallOptions, CloudKmsClient } from './cloud-kms-client.ts'
import { clientError } from './client-errors.ts'

type Timers = Pick<Network, 'after'>

/** The client ends what nobody waits for this long after we did. */
const GRACE_MS = 500

const NODE_TIMERS: Timers = {
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs)
    return () => {
      clearTimeout(timer)
    }
  },
}

/** Without an explicit one: of a call by itself, and of one that the stack's attempt timeout ends. */
const DEFAULT_TIMEOUT_MS = 2_000
const MAX_TIMEOUT_MS = 900_000

/** Calls by Google's client: each ends in time, and at an abort, whatever the client does. */
export class ClientTransport implements GcpKmsTransport {
  readonly #client: CloudKmsClient
  readonly #timeoutMs: number | undefined
  readonly #timers: Timers

  constructor(client: CloudKmsClient, timeoutMs: number | undefined, timers: Timers = NODE_TIMERS) {
    this.#client = client
    this.#timeoutMs = timeoutMs
    this.#timers = timers
  }

  async call<M extends keyof GcpKmsMethods>(
    method: M,
    request: GcpKmsMethods[M],
    { signal, hasAttemptTimeout }: KmsSignalOptions,
  ): Promise<GcpKmsAnswer> {
    signal?.throwIfAborted()
    const { promise, resolve, reject } = settling<GcpKmsAnswer>()
    const state = { isOver: false }
    const end = (error: unknown): void => {
      state.isOver = true
      reject(error)
    }
    const stop = (): void => {
      end(signal?.reason)
    }
    const isTimed = hasAttemptTimeout === true && signal !== undefined
    const timeoutMs = this.#timeoutMs ?? (isTimed ? MAX_TIMEOUT_MS : DEFAULT_TIMEOUT_MS)
    const cancel = this.#timers.after(timeoutMs, () => {
      end(new KmsError('ERR_KMS_TIMEOUT', { provider: 'gcp-kms', operation: method }))
    })
    signal?.addEventListener('abort', stop, { once: true })
    const work = async (): Promise<void> => {
      try {
        const answer = answerOf(await this.#send(method, request, timeoutMs))
        // A late answer may be a data key that nobody takes.
        if (state.isOver) wipe(answer)
        else resolve(answer)
      } catch (error) {
        reject(clientError(method, error))
      }
    }
    void work()
    try {
      return await promise
    } finally {
      cancel()
      signal?.removeEventListener('abort', stop)
    }
  }

  async #send<M extends keyof GcpKmsMethods>(
    method: M,
    request: GcpKmsMethods[M],
    timeoutMs: number,
  ): Promise<object> {
    const options: CloudKmsCallOptions = { timeout: timeoutMs + GRACE_MS, retry: null }
    const name = `${method.charAt(0).toLowerCase()}${method.slice(1)}` as keyof CloudKmsClient
    const sent = Object.fromEntries(Object.entries(request as object).map(toProto))
    const made = method === 'CreateCryptoKeyVersion' ? { ...sent, cryptoKeyVersion: {} } : sent
    const call = this.#client[name] as (
      request: object,
      options: CloudKmsCallOptions,
    ) => Promise<readonly [object]>
    return (await call.call(this.#client, made, options))[0]
  }
}

/** A checksum is a wrapped 64-bit number in Google's protocol buffers. */
function toProto([name, value]: readonly [string, unknown]): [string, unknown] {
  return [name, name.endsWith('Crc32c') ? { value: String(value) } : value]
}

function settling<T>(): {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
} {
  let resolve: (value: T) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
