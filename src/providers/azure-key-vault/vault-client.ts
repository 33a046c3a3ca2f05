import type { AzureCredentialSource, AzureToken } from '../../credentials/azure/index.ts'
import { KmsError } from '../../errors.ts'
import {
  type HttpResponse,
  type JsonObject,
  parseJsonObject,
  type Transport,
} from '../../http/index.ts'
import type { KmsSignalOptions } from '../../kms/index.ts'
import type { Runtime } from '../../ports/index.ts'
import { challengeResource } from './challenge.ts'
import { azureFailure } from './errors.ts'

export const PROVIDER = 'azure-key-vault'

/** The version of the REST API: the first with rotation, served in every cloud. */
const API_VERSION = '7.4'

/** Parts that calls on one key use. */
export interface VaultClientOptions {
  /** From the configuration alone. */
  readonly keyId: string
  readonly resource: string
  readonly credentials: AzureCredentialSource
  readonly transport: Transport
  readonly runtime: Runtime
}

/** One call below the key's URL. */
export interface VaultCall extends KmsSignalOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** As Azure's permissions name it, e.g. `wrapKey`. */
  readonly operation: string
  /** Behind the key's URL, e.g. `/rotate`; empty for the key itself. */
  readonly path: string
  /** More parameters of the query, encoded. */
  readonly query?: string
  readonly input?: JsonObject
}

/**
 * Calls on one key. A token goes along from the first request on: no challenge decides what it is for
 * or where it goes. A refused token is renewed once within one call; nothing else is tried again here.
 */
export class VaultClient {
  readonly #options: VaultClientOptions

  constructor(options: VaultClientOptions) {
    this.#options = options
  }

  /** @throws KmsError for an error answer, and where the answer does not come */
  async call(call: VaultCall): Promise<JsonObject> {
    const { credentials, runtime } = this.#options
    let token = await this.#token(call)
    for (let mended = false; ; mended = true) {
      const response = await this.#send(call, token)
      if (response.status === 200) return objectOf(response)
      const facts = { provider: PROVIDER, operation: call.operation, nowMs: runtime.now() }
      const error = azureFailure(response, facts)
      if (response.status !== 401) throw error
      this.#checkChallenge(response)
      credentials.refused(token)
      const next = mended ? token : await this.#token(call)
      if (next.token === token.token) throw error
      token = next
    }
  }

  #token({ signal, defer }: VaultCall): Promise<AzureToken> {
    return this.#options.credentials.get({ resource: this.#options.resource, signal, defer })
  }

  #send(
    { method, path, query, input, signal, hasAttemptTimeout }: VaultCall,
    { token }: AzureToken,
  ): Promise<HttpResponse> {
    const headers: Record<string, string> = {
      accept: 'application/json',
      authorization: `Bearer ${token}`,
    }
    if (input !== undefined) headers['content-type'] = 'application/json'
    return this.#options.transport.send({
      method,
      url: `${this.#options.keyId}${path}?api-version=${API_VERSION}${query === undefined ? '' : `&${query}`}`,
      headers,
      ...(input !== undefined && { body: JSON.stringify(input) }),
      signal,
      hasAttemptTimeout,
    })
  }

  /** R9: who asks for a token of another resource is not the key store that is configured. */
  #checkChallenge({ status, headers }: HttpResponse): void {
    const asked = challengeResource(headers)
    if (asked === undefined || asked === this.#options.resource) return
    throw new KmsError('ERR_KMS_RESPONSE_INVALID', {
      message: 'the challenge asks for a token of another resource',
      provider: PROVIDER,
      status,
    })
  }
}

function objectOf({ body }: HttpResponse): JsonObject {
  const answer = parseJsonObject(body)
  if (answer !== undefined) return answer
  throw invalidAnswer('the answer is not a JSON object')
}

/** Returns the error of an answer that must not occur. */
export function invalidAnswer(message: string): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { message, provider: PROVIDER })
}
