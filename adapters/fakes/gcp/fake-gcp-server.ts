import type { Bytes } from '../../../src/bytes/index.ts'
import type { FakeClock } from '../support/clock.ts'
import { connectionReset, type PlainAnswer, respond } from '../support/fault-bodies.ts'
import { FaultScript } from '../support/fault-script.ts'
import { pause } from '../support/pause.ts'
import { type AnswerForm, errorAnswer, jsonAnswer, oauthError, unknownPath } from './answer.ts'
import type { CallRecord, FakeGcpCall } from './calls.ts'
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

/** What a server is made of. */
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
  readonly faults: FaultScript<FakeGcpFault> = new FaultScript()
  readonly #parts: ServerParts
  #calls: CallRecord[] = []

  constructor(parts: ServerParts) {
    this.#parts = parts
  }

  get calls(): readonly FakeGcpCall[] {
    return this.#calls
  }

  forgetCalls(): void {
    this.#calls = []
  }

  async fetch(request: Request): Promise<Response> {
    // Requests of other frameworks may come without one.
    const signal = request.signal as AbortSignal | undefined
    signal?.throwIfAborted()
    const url = new URL(request.url)
    const body: Bytes = new Uint8Array(await request.arrayBuffer())
    const found = route(request.method, url)
    const { service, operation, name } = found
    const record: CallRecord = { service, operation, name }
    this.#calls.push(record)
    const fault = this.faults.take(operation)
    if (fault !== undefined) record.fault = fault.kind
    const delayMs = fault?.delayMs ?? (fault?.kind === 'slow' ? 1_000 : 0)
    if (delayMs > 0) await pause(delayMs, signal)
    if (fault?.kind === 'reset') throw connectionReset()
    const skewMs = fault?.kind === 'skewed-clock' ? (fault.skewMs ?? 1_200_000) : 0
    const form = {
      nowMs: this.#parts.clock.now() + skewMs,
      numericEnums: (url.searchParams.get('$alt') ?? '').includes('enum-encoding=int'),
    }
    const replaces = fault?.kind === 'redirect' || fault?.kind === 'not-json'
    const routed = { route: found, url, headers: request.headers, body, form, record }
    const plain = replaces ? jsonAnswer({}, form) : await this.#answer(routed, refusalOf(fault))
    const answer = distort(service === 'metadata' ? fromMetadata(plain) : plain, fault)
    record.status = answer.status
    if (fault !== undefined && needsSuccess(fault) && answer.status !== 200) {
      this.faults.giveBack(fault)
      delete record.fault
    }
    return respond(answer, fault, request)
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

/** What tells a metadata server from whatever else answers to its name. */
function fromMetadata(answer: PlainAnswer): PlainAnswer {
  return { ...answer, headers: { ...answer.headers, 'metadata-flavor': 'Google' } }
}
