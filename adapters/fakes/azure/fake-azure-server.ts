import { decodeUtf8, encodeUtf8 } from '../../../src/bytes/index.ts'
import { type JsonObject, parseJsonObject } from '../../../src/http/index.ts'
import type { PlainAnswer } from '../support/fault-bodies.ts'
import { FrontDoor } from '../support/front-door.ts'
import { authorize, challengeOf, resourceOf } from './authorize.ts'
import type { CallRecord } from './calls.ts'
import { type EntraParts, grantToken, issue } from './entra.ts'
import { Refusal, TokenRefusal } from './errors.ts'
import { distort, type FakeAzureFault, needsSuccess, refusalOf } from './faults.ts'
import type { KeyStore } from './key-store.ts'
import { route } from './routes.ts'
import { VAULT_OPERATIONS } from './vault-operations.ts'

/** The parts of a server. */
export interface ServerParts extends EntraParts {
  readonly keys: KeyStore
  readonly managedIdentity: string
  readonly identityHeader: string
}

/** A request with what routes it. */
interface Routed {
  readonly url: URL
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer>
  readonly record: CallRecord
}

/** Vaults, HSMs, Entra's token endpoint and the metadata services behind one door. */
export class FakeAzureServer {
  readonly door: FrontDoor<FakeAzureFault, CallRecord> = new FrontDoor()
  readonly #parts: ServerParts

  constructor(parts: ServerParts) {
    this.#parts = parts
  }

  async fetch(request: Request): Promise<Response> {
    const call = await this.door.receive(request, ({ method, url }) => route(method, url))
    const { received, record, fault } = call
    const routed = { ...received, record }
    const replaces = fault?.kind === 'redirect' || fault?.kind === 'not-json'
    const plain = replaces ? answerOf(200, {}) : await this.#answer(routed, refusalOf(fault))
    return this.door.reply(call, distort(plain, fault), needsSuccess)
  }

  async #answer(routed: Routed, refusal: Refusal | undefined): Promise<PlainAnswer> {
    const { record } = routed
    try {
      if (refusal !== undefined) throw refusal
      if (record.service === 'vault') return answerOf(200, await this.#vault(routed))
      return answerOf(200, await this.#token(routed))
    } catch (error) {
      if (error instanceof Refusal) return this.#refused(error, routed)
      if (!(error instanceof TokenRefusal)) throw error
      record.error = error.error
      return answerOf(error.status, {
        error: error.error,
        error_description: `${error.message}: the fake says no.`,
        error_codes: [error.number],
      })
    }
  }

  async #vault({ url, headers, body, record }: Routed): Promise<JsonObject> {
    const run = VAULT_OPERATIONS.get(record.operation)
    await authorize(this.#parts, headers, record)
    if (run === undefined) throw new Refusal('notFound')
    if (!url.searchParams.has('api-version')) throw new Refusal('badParameter')
    const { keys, defects, now } = this.#parts
    const input = parseJsonObject(body) ?? {}
    return run({ keys, defects, input, query: url.searchParams, record, nowMs: now() })
  }

  async #token(routed: Routed): Promise<JsonObject> {
    const { url, body, record } = routed
    if (record.service === 'identity') return this.#identity(routed)
    if (record.operation === 'discovery') return discovery(this.#parts.tenantId)
    const parameters = new URLSearchParams(decodeUtf8(body) ?? '')
    record.resource = (parameters.get('scope') ?? '').replace(/\/\.default$/, '')
    return grantToken(this.#parts, { url, parameters })
  }

  /** The Instance Metadata Service, and App Service's endpoint: numbers are texts there. */
  async #identity({ url, headers, record }: Routed): Promise<JsonObject> {
    const { applications, managedIdentity, identityHeader, now, tokenSeconds } = this.#parts
    const isImds = url.hostname === '169.254.169.254'
    const header = headers.get(isImds ? 'metadata' : 'x-identity-header')
    if (header !== (isImds ? 'true' : identityHeader))
      throw new TokenRefusal(isImds ? 400 : 401, 'invalid_request', 0)
    record.resource = url.searchParams.get('resource') ?? ''
    const clientId = url.searchParams.get('client_id') ?? managedIdentity
    const application = applications.find((one) => one.clientId === clientId)
    if (application === undefined) throw new TokenRefusal(400, 'invalid_request', 0)
    const { access_token } = await issue(this.#parts, application, record.resource)
    return {
      access_token,
      expires_on: String(Math.floor(now() / 1_000) + tokenSeconds),
      ...(isImds && { expires_in: String(tokenSeconds) }),
      resource: record.resource,
      token_type: 'Bearer',
    }
  }

  /** A 401 says where tokens come from. */
  #refused({ status, code, inner, message }: Refusal, { record }: Routed): PlainAnswer {
    record.error = inner ?? code
    const innererror = inner === undefined ? {} : { innererror: { code: inner } }
    const answer = answerOf(status, { error: { code, message, ...innererror } })
    if (status !== 401) return answer
    const challenge = challengeOf(this.#parts, resourceOf(record.host))
    return { ...answer, headers: { ...answer.headers, 'www-authenticate': challenge } }
  }
}

function answerOf(status: number, members: JsonObject): PlainAnswer {
  const body = JSON.stringify(members)
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(encodeUtf8(body).length),
    'cache-control': 'no-cache',
    'x-ms-request-id': crypto.randomUUID(),
  }
  return { status, headers, body }
}

/** The part of a directory that Microsoft's client reads before it asks for a token. */
function discovery(tenantId: string): JsonObject {
  const base = `https://login.microsoftonline.com/${tenantId}`
  return {
    token_endpoint: `${base}/oauth2/v2.0/token`,
    authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
    jwks_uri: `${base}/discovery/v2.0/keys`,
    issuer: `${base}/v2.0`,
    tenant_discovery_endpoint: `${base}/v2.0/.well-known/openid-configuration`,
  }
}
