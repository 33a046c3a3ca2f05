import { KmsError, type KmsErrorCode } from '../../errors.ts'
import { type JsonObject, parseJsonObject, type Transport } from '../../http/index.ts'
import type { Runtime } from '../../ports/index.ts'
import type { FlightOptions } from '../../runtime/index.ts'
import type { GcpCredentialSource } from './credentials.ts'
import { gcpFailure } from './errors.ts'

/** One API of Google. */
export interface GcpClientOptions {
  readonly provider: string
  readonly credentials: GcpCredentialSource
  readonly transport: Transport
  readonly runtime: Runtime
}

/** One call. */
export interface GcpCall extends FlightOptions {
  /** Name of the method, for errors. */
  readonly operation: string
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly url: string
  readonly body?: object
  /** The code of INVALID_ARGUMENT here. */
  readonly invalidArgument?: KmsErrorCode | undefined
  readonly hasAttemptTimeout?: boolean | undefined
}

/**
 * Calls with a bearer token. A refused token is renewed once within one call; nothing else is tried
 * again here.
 */
export class GcpClient {
  readonly #options: GcpClientOptions

  constructor(options: GcpClientOptions) {
    this.#options = options
  }

  /** @throws KmsError for an error answer, for one that is not JSON object, and where there is none */
  async call(call: GcpCall): Promise<JsonObject> {
    const { credentials: source, provider, transport, runtime } = this.#options
    const { operation, method, url, body, signal, defer, invalidArgument } = call
    const { hasAttemptTimeout } = call
    const sent = { hasAttemptTimeout, ...(body !== undefined && { body: JSON.stringify(body) }) }
    let token = await source.get({ signal, defer })
    for (let mended = false; ; mended = true) {
      const headers: Record<string, string> = { authorization: `Bearer ${token.token}` }
      if (body !== undefined) headers['content-type'] = 'application/json'
      const response = await transport.send({ method, url, headers, ...sent, signal })
      if (response.status === 200) {
        const answer = parseJsonObject(response.body)
        if (answer !== undefined) return answer
        const message = 'the answer is not a JSON object'
        throw new KmsError('ERR_KMS_RESPONSE_INVALID', { provider, operation, message })
      }
      const facts = { provider, operation, nowMs: runtime.now(), invalidArgument }
      const error = gcpFailure(response, facts)
      if (mended || error.code !== 'ERR_KMS_UNAUTHENTICATED') throw error
      source.refused(token, Date.parse(response.headers.get('date') ?? ''))
      const next = await source.get({ signal, defer })
      if (next === token) throw error
      token = next
    }
  }
}
