import type { Bytes } from '../bytes/index.ts'
import { demandMethods, integer } from '../checks/index.ts'
import { isKmsError, KmsError, type KmsErrorDetails } from '../errors.ts'
import type { Network, NetworkResponse } from '../ports/index.ts'
import { withTimeout } from '../runtime/index.ts'
import { readBody } from './body.ts'

/** One request to a vendor. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the configuration, never from an envelope. */
  readonly url: string
  readonly headers: HeadersInit
  readonly body?: string | Bytes
  /** Returns a redirect as an answer, so that the caller can compare its target; it is never followed here. */
  readonly showsRedirect?: boolean
  readonly signal?: AbortSignal | undefined
  /** `signal` ends the request in time: without an explicit `timeoutMs` the transport has no timer. */
  readonly hasAttemptTimeout?: boolean | undefined
  /** Facts for every error of this request. */
  readonly facts?: CallFacts
}

/** Facts about a call, for its errors. */
export type CallFacts = Pick<KmsErrorDetails, 'operation' | 'provider'>

/** A whole answer of any status, except a redirect that was not asked for. */
export interface HttpResponse {
  readonly status: number
  readonly headers: NetworkResponse['headers']
  readonly body: Bytes
}

/** Bounds of every request. */
export interface TransportOptions {
  readonly network: Network
  /**
   * From the start of the request to the last byte of the body, in milliseconds, 1 to 600,000. By
   * default 2,000, or the attempt timeout of the stack around it.
   */
  readonly timeoutMs?: number | undefined
  /** Longest body that is read, in bytes; 256 KiB by default. */
  readonly maxBodyBytes?: number
}

const DEFAULT_TIMEOUT_MS = 2_000
const MAX_TIMEOUT_MS = 600_000

/** The one way out: deadline, abort, body limit, no redirects, and errors without secrets. */
export class Transport {
  readonly #network: Network
  readonly #timeoutMs: number | undefined
  readonly #maxBodyBytes: number

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor({ network, timeoutMs, maxBodyBytes = 262_144 }: TransportOptions) {
    demandMethods('network', network, ['fetch', 'after'])
    this.#network = network
    // A timer of more than 2^31 ms fires at once, and so would one of NaN.
    this.#timeoutMs =
      timeoutMs === undefined ? undefined : integer('timeoutMs', timeoutMs, 1, MAX_TIMEOUT_MS)
    this.#maxBodyBytes = maxBodyBytes
  }

  /**
   * Sends a request and reads the whole answer.
   *
   * @throws KmsError `ERR_KMS_TIMEOUT`, `ERR_KMS_UNAVAILABLE`, `ERR_KMS_RESPONSE_INVALID`; or the signal's reason
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const { signal, hasAttemptTimeout, facts } = request
    const isTimed = hasAttemptTimeout === true && signal !== undefined
    const timeoutMs = this.#timeoutMs ?? (isTimed ? undefined : DEFAULT_TIMEOUT_MS)
    const error = (): KmsError => new KmsError('ERR_KMS_TIMEOUT', facts)
    try {
      const bound = { timeoutMs, signal, network: this.#network, error }
      return await withTimeout((ended) => this.#exchange(request, ended), bound)
    } catch (failure) {
      signal?.throwIfAborted()
      throw isKmsError(failure) ? failure : unreachable(failure, request)
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
    // 304 names no other place.
    const redirects =
      status >= 300 && status < 400 && status !== 304 && request.showsRedirect !== true
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

/** Fields that a thrown value may have. */
interface Thrown {
  readonly cause?: unknown
  readonly code?: unknown
  readonly name?: unknown
}
