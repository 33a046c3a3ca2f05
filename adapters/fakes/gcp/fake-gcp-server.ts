import type { Bytes } from '../../../src/bytes/index.ts'
import type { FakeClock } from '../support/clock.ts'
import type { PlainAnswer } from '../support/fault-bodies.ts'
import { FrontDoor, skewMsOf } from '../support/front-door.ts'
import { type AnswerForm, errorAnswer, jsonAnswer, oauthError, unknownPath } from './answer.ts'
import type { CallRecord } from './calls.ts'
import { OAuthRefusal, Refusal } from './errors.ts'
import { distort, type FakeGcpFault, needsSuccess, refusalOf } from './faults.ts'
import { Input } from './input.ts'
import type { KeyStore } from './key-store.ts'
import type { FakeGcpDefect, FakeGcpPoolProvider } from './options.ts'
import { type Route, route } from './routes.ts'
import {
  assertedToken,
  exchangedToken,
  impersonatedToken,
  metadataToken,
  type TokenCall,
} from './token-endpoints.ts'
import type { Principal, Tokens } from './tokens.ts'

/** The parts of a server. */
export interface ServerParts {
  readonly keys: KeyStore
  readonly tokens: Tokens
  readonly poolProviders: readonly FakeGcpPoolProvider[]
  /** E-mail address of the machine's service account. */
  readonly machine: string
  readonly defects: ReadonlySet<FakeGcpDefect>
  readonly clock: FakeClock
}

/** A request with what routes it. */
interface Routed {
  readonly route: Route
  readonly url: URL
  readonly headers: Headers
  readonly body: Bytes
  readonly form: AnswerForm
  readonly record: CallRecord
}

/** KMS, IAM Credentials, STS, OAuth and the metadata server behind one door. */
export class FakeGcpServer {
  readonly door: FrontDoor<FakeGcpFault, CallRecord> = new FrontDoor()
  readonly #parts: ServerParts

  constructor(parts: ServerParts) {
    this.#parts = parts
  }

  async fetch(request: Request): Promise<Response> {
    const call = await this.door.receive(request, ({ method, url }): CallRecord => {
      const { service, operation, name } = route(method, url)
      return { service, operation, name }
    })
    const { received, record, fault } = call
    const { method, url } = received
    const found = route(method, url)
    const form = {
      nowMs: this.#parts.clock.now() + skewMsOf(fault),
      numericEnums: (url.searchParams.get('$alt') ?? '').includes('enum-encoding=int'),
    }
    const replaces = fault?.kind === 'redirect' || fault?.kind === 'not-json'
    const routed = { ...received, route: found, form, record }
    const plain = replaces ? jsonAnswer({}, form) : await this.#answer(routed, refusalOf(fault))
    const answer = distort(found.service === 'metadata' ? fromMetadata(plain) : plain, fault)
    return this.door.reply(call, answer, needsSuccess)
  }

  async #answer(routed: Routed, refusal: Refusal | undefined): Promise<PlainAnswer> {
    const { form, record, route: found } = routed
    try {
      if (refusal !== undefined) throw refusal
      if (found.operation === '') return unknownPath(form)
      return jsonAnswer(await this.#run(routed), form)
    } catch (error) {
      if (error instanceof OAuthRefusal) {
        record.error = error.code
        return oauthError(error, form)
      }
      if (!(error instanceof Refusal)) throw error
      record.error = error.row.status
      return errorAnswer(error, form)
    }
  }

  async #run(routed: Routed): Promise<Readonly<Record<string, unknown>>> {
    const { route: found, url, headers, body, form, record } = routed
    const { keys, tokens, poolProviders, machine, defects } = this.#parts
    const { name, run } = found
    const call: TokenCall = { tokens, nowMs: form.nowMs, body }
    if (found.service === 'metadata') return metadataToken(call, machine, { name, headers })
    if (found.service === 'sts') return exchangedToken(call, poolProviders)
    if (found.service === 'oauth') return assertedToken(call)
    const caller = await this.#caller(routed)
    record.caller = caller.id
    const input = new Input(body)
    if (run === undefined) return impersonatedToken(call, { name, input, caller })
    const { nowMs } = form
    return run({ keys, defects, name, query: url.searchParams, input, caller, nowMs, record })
  }

  async #caller({ headers, form }: Routed): Promise<Principal> {
    const { tokens, defects } = this.#parts
    if (defects.has('accepts-any-token')) return { id: 'anyone', policy: {} }
    const header = headers.get('authorization') ?? ''
    const token = /^bearer (.+)$/i.exec(header)?.[1]
    if (token === undefined) throw new Refusal('missingCredentials')
    return tokens.verify(token, form.nowMs)
  }
}

/** The header that tells a metadata server from any other server that answers to its name. */
function fromMetadata(answer: PlainAnswer): PlainAnswer {
  return { ...answer, headers: { ...answer.headers, 'metadata-flavor': 'Google' } }
}
