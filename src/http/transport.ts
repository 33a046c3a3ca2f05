import type { Bytes } from '../bytes/index.ts'
import { configError } from '../checks/index.ts'
import { isKmsError, KmsError, type KmsErrorDetails } from '../errors.ts'
import type { Network, NetworkResponse } from '../ports/index.ts'
import { untilAborted } from '../runtime/index.ts'
import { readBody } from './body.ts'

/** One request to a vendor. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH'
  /** From the configuration, never from an envelope. */
  readonly url: string
  readonly headers: HeadersInit
  readonly body?: string | Bytes
  /** Gives the caller a redirect as an answer, to compare where it leads; it is never followed here. */
  readonly showsRedirect?: boolean
  readonly signal?: AbortSignal | undefined
  /** What stands on every error of this request. */
  readonly facts?: CallFacts
}

/** Which call it was. */
export type CallFacts = Pick<KmsErrorDetails, 'operation' | 'provider'>

/** A whole answer, whatever its status but a redirect that was not asked for. */
export interface HttpResponse {
  readonly status: number
  readonly headers: NetworkResponse['headers']
  readonly body: Bytes
}

/** Bounds of every request. */
export interface TransportOptions {
  readonly network: Network
  /** From the start of the request to the last byte of the body, in milliseconds; 2,000 by default, 1 to 600,000. */
  readonly timeoutMs?: number | undefined
  /** Longest body that is read, in bytes; 256 KiB by default. */
  readonly maxBodyBytes?: number
}

const MAX_TIMEOUT_MS = 600_000

/** The one way out: deadline, abort, body limit, no redirects, and errors without secrets. */
export class Transport {
  readonly #network: Network
  readonly #timeoutMs: number
  readonly #maxBodyBytes: number

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor({ network, timeoutMs = 2_000, maxBodyBytes = 262_144 }: TransportOptions) {
    this.#network = network
    // A timer of more than 2^31 ms fires at once, and so would one of no number.
    if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > MAX_TIMEOUT_MS)
      throw configError('timeoutMs is not valid')
    this.#timeoutMs = timeoutMs
    this.#maxBodyBytes = maxBodyBytes
  }

  /**
   * Sends a request and reads the whole answer.
   *
   * @throws KmsError `ERR_KMS_TIMEOUT`, `ERR_KMS_UNAVAILABLE`, `ERR_KMS_RESPONSE_INVALID`; or the signal's reason
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    request.signal?.throwIfAborted()
    const attempt = new AbortController()
    const stop = (): void => {
      attempt.abort(request.signal?.reason)
    }
    request.signal?.addEventListener('abort', stop, { once: true })
    const cancel = this.#network.after(this.#timeoutMs, () => {
      attempt.abort(new KmsError('ERR_KMS_TIMEOUT', request.facts))
    })
    try {
      // Raced as well: a body that hangs must not depend on how well a runtime aborts it.
      return await untilAborted(this.#exchange(request, attempt.signal), attempt.signal)
    } catch (error) {
      if (attempt.signal.aborted) throw attempt.signal.reason
      throw isKmsError(error) ? error : unreachable(error, request)
    } finally {
      cancel()
      request.signal?.removeEventListener('abort', stop)
    }
  }

  async #exchange(request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
    const response = await this.#network.fetch(request.url, {
      method: request.method,
      headers: request.headers,
      ...(request.body !== undefined && { body: request.body }),
      // workerd has no 'error'; a redirect would carry tokens to another host.
      redirect: 'manual',
      signal,
    })
    const { status, headers } = response
    const redirects = status >= 300 && status < 400 && request.showsRedirect !== true
    if (response.type === 'opaqueredirect' || redirects) {
      void response.body?.cancel().catch(() => undefined) // nobody waits for what is refused
      throw invalid('a redirect is refused', { ...request.facts, status })
    }
    const body = await readBody(response.body, this.#maxBodyBytes)
    if (body === undefined) throw invalid('the answer is too long', request.facts)
    return { status, headers, body }
  }
}

function invalid(message: string, details: KmsErrorDetails | undefined): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { ...details, message })
}

/** The host is named: a typo in a Region is a host that does not exist. The cause's message may hold a URL. */
function unreachable(error: unknown, { facts, url }: HttpRequest): KmsError {
  const { cause = error } = Object(error) as Thrown
  const { code, name } = Object(cause) as Thrown
  const word = [code, name].find((one) => typeof one === 'string' && /^\w{1,64}$/.test(one))
  return new KmsError('ERR_KMS_UNAVAILABLE', {
    ...facts,
    message: `cannot reach ${new URL(url).host}`,
    cause: new Error(word as string | undefined),
  })
}

/** What a thrown value may say. */
interface Thrown {
  readonly cause?: unknown
  readonly code?: unknown
  readonly name?: unknown
}
