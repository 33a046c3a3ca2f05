import { wrongOption } from '../../checks/index.ts'
import { KmsError } from '../../errors.ts'
import {
  checkEndpoint,
  type EndpointRules,
  type HttpResponse,
  type JsonObject,
  parseJsonObject,
  Transport,
} from '../../http/index.ts'
import type { RefreshPorts } from '../../runtime/index.ts'
import type { VaultErrorRow } from './errors.ts'
import { vaultFailure } from './errors.ts'
import { checkVaultPath } from './paths.ts'

/** Options that decide Vault's endpoint. */
export interface VaultPlace extends EndpointRules {
  /** E.g. `https://vault.example.com:8200`. https only. */
  readonly endpoint: string
  /**
   * The namespace, e.g. `admin/team-a`; none by default. It is sent as part of the path, because a server without
   * namespaces refuses it there, but would ignore a header and use its root namespace.
   */
  readonly namespace?: string | undefined
  /**
   * Origins of other nodes of the same cluster, e.g. `https://vault-1.example.com:8200`, to which a
   * standby may redirect. Token and request are sent there. None by default: redirects are refused.
   */
  readonly standbyOrigins?: readonly string[] | undefined
  /** Timeout of one request with its answer, in milliseconds: by default 2,000, or the stack's attempt timeout. */
  readonly timeoutMs?: number | undefined
}

/** One request. */
export interface VaultRequest {
  readonly method: 'GET' | 'POST'
  /** Below `/v1/` and the namespace; its parts were checked. */
  readonly path: string
  readonly body?: JsonObject
  readonly token?: string
  /** Instead of the place's own. */
  readonly namespace?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly hasAttemptTimeout?: boolean | undefined
}

/** Requests to one Vault: where they go, and where a standby may send them. */
export class VaultHttp {
  readonly ports: RefreshPorts
  readonly #base: string
  readonly #namespace: string | undefined
  readonly #standbys: readonly string[]
  readonly #transport: Transport

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(place: VaultPlace, ports: RefreshPorts) {
    const { endpoint, namespace, standbyOrigins = [], timeoutMs } = place
    if (!Array.isArray(standbyOrigins))
      throw wrongOption('standbyOrigins', 'an array of origins', standbyOrigins)
    this.ports = ports
    this.#base = `${checkEndpoint(endpoint, place)}/v1/`
    this.#namespace = namespace
    this.#standbys = (standbyOrigins as readonly string[]).map(
      (origin) => new URL(checkEndpoint(origin, place)).origin,
    )
    this.#transport = new Transport({ network: ports.network, timeoutMs })
    this.#urlOf('', namespace)
  }

  /** Sends a request, a second time where an allowed node is named instead. */
  async send({
    method,
    path,
    body,
    token,
    namespace,
    signal,
    hasAttemptTimeout,
  }: VaultRequest): Promise<HttpResponse> {
    const url = this.#urlOf(path, namespace ?? this.#namespace)
    const request = {
      method,
      headers: {
        'content-type': 'application/json',
        'X-Vault-Request': 'true',
        ...(token !== undefined && { 'X-Vault-Token': token }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal,
      hasAttemptTimeout,
    }
    const response = await this.#transport.send({ ...request, url, showsRedirect: true })
    const { status, headers } = response
    if (status < 300 || status >= 400) return response
    const next = this.#standbyUrl(url, status, headers.get('location') ?? '')
    return this.#transport.send({ ...request, url: next })
  }

  /**
   * A request without a token, e.g. a login, and its answer.
   *
   * @throws KmsError
   */
  async ask(
    request: VaultRequest & { readonly operation: string },
    errors: readonly VaultErrorRow[],
  ): Promise<JsonObject> {
    const response = await this.send(request)
    const facts = { provider: 'vault-auth', operation: request.operation }
    const nowMs = this.ports.runtime.now()
    if (response.status !== 200) throw vaultFailure(response, errors, { ...facts, nowMs })
    const answer = parseJsonObject(response.body)
    if (answer !== undefined) return answer
    throw new KmsError('ERR_KMS_RESPONSE_INVALID', { ...facts, message: NO_OBJECT })
  }

  #urlOf(path: string, namespace: string | undefined): string {
    const inside = namespace === undefined ? '' : `${checkVaultPath('namespace', namespace)}/`
    return this.#base + inside + path
  }

  /** The same path on another node, and nothing else: a redirect that cleans a path does not come from a standby. */
  #standbyUrl(url: string, status: number, location: string): string {
    const from = new URL(url)
    const to = URL.canParse(location, url) ? new URL(location, url) : undefined
    const allowed = status === 307 && to !== undefined && this.#standbys.includes(to.origin)
    if (allowed && to.href === to.origin + from.pathname) return to.href
    throw new KmsError('ERR_KMS_RESPONSE_INVALID', { message: 'a redirect is refused', status })
  }
}

export const NO_OBJECT = 'the answer is not a JSON object'
