import type { PlainAnswer } from '../support/fault-bodies.ts'
import { FrontDoor, type ReceivedRequest, skewMsOf } from '../support/front-door.ts'
import { type AnswerForm, kmsAnswer, kmsError, stsAnswer, stsError } from './answer.ts'
import { authenticate, type Caller } from './authenticate.ts'
import type { CallRecord } from './calls.ts'
import type { FakeClock } from '../support/clock.ts'
import { Refusal } from './errors.ts'
import { distort, needsSuccess, refusalOf } from './fault-effects.ts'
import type { FakeAwsFault } from './faults.ts'
import { KmsInput } from './kms-input.ts'
import { KMS_OPERATIONS } from './kms-operations.ts'
import type { KmsService } from './kms-service.ts'
import type { FakeAwsIdentityProvider } from './options.ts'
import { hostFacts, type Service } from './place.ts'
import type { Principals } from './principals.ts'
import { SignatureVerifier } from './sigv4-verify.ts'
import { assumeRoleWithWebIdentity, SIGNED_STS_OPERATIONS } from './sts-operations.ts'

/** The parts of a server. */
export interface ServerParts {
  readonly kms: KmsService
  readonly principals: Principals
  readonly identityProviders: readonly FakeAwsIdentityProvider[]
  readonly clock: FakeClock
}

/** A request with what routes it. */
interface Routed {
  readonly received: ReceivedRequest
  readonly service: Service
  readonly operation: string
  /** Parameters of the query protocol. */
  readonly parameters: URLSearchParams
  readonly form: AnswerForm & { readonly json: boolean }
  readonly record: CallRecord
}

/** KMS and STS behind one door. */
export class FakeAwsServer {
  readonly door: FrontDoor<FakeAwsFault, CallRecord> = new FrontDoor()
  readonly #parts: ServerParts
  readonly #verifier = new SignatureVerifier()

  constructor(parts: ServerParts) {
    this.#parts = parts
  }

  async fetch(request: Request): Promise<Response> {
    const call = await this.door.receive(request, (received): CallRecord => {
      const { service, operation } = route(received)
      return { service, operation }
    })
    const { received, record, fault } = call
    const form = {
      requestId: crypto.randomUUID(),
      nowMs: this.#parts.clock.now() + skewMsOf(fault),
      json: (request.headers.get('accept') ?? '').includes('application/json'),
    }
    const replaces = fault?.kind === 'redirect' || fault?.kind === 'not-json'
    const routed = { received, ...route(received), form, record }
    const plain = replaces ? kmsAnswer({}, form) : await this.#answer(routed, refusalOf(fault))
    return this.door.reply(call, distort(plain, fault), needsSuccess)
  }

  async #answer(routed: Routed, refusal: Refusal | undefined): Promise<PlainAnswer> {
    const { service, form, record } = routed
    try {
      if (refusal !== undefined) throw refusal
      return service === 'kms' ? await this.#kms(routed) : await this.#sts(routed)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      record.error = error.as(service === 'kms' ? 'json' : 'query').code
      return service === 'kms' ? kmsError(error, form) : stsError(error, form)
    }
  }

  async #kms(routed: Routed): Promise<PlainAnswer> {
    const { operation, received, form, record } = routed
    const run = KMS_OPERATIONS.get(operation)
    if (run === undefined) throw new Refusal('unknownOperation')
    const { principal: caller, region } = await this.#caller(routed)
    const input = KmsInput.parse(received.body)
    const dryRun = input.flag('DryRun')
    if (dryRun) record.dryRun = true
    const service = this.#parts.kms
    return kmsAnswer(await run({ service, operation, input, caller, region, record }), form)
  }

  async #sts(routed: Routed): Promise<PlainAnswer> {
    const { operation, parameters, form } = routed
    const { principals, identityProviders, kms } = this.#parts
    const call = {
      parameters,
      principals,
      identityProviders,
      defects: kms.defects,
      nowMs: form.nowMs,
    }
    if (operation === '') throw new Refusal('missingAction')
    if (operation === 'AssumeRoleWithWebIdentity') {
      return stsAnswer(operation, await assumeRoleWithWebIdentity(call), form)
    }
    const run = SIGNED_STS_OPERATIONS.get(operation)
    if (run === undefined || parameters.get('Version') !== '2011-06-15') {
      throw new Refusal(
        'unknownOperation',
        `Could not find operation ${operation} for version ${parameters.get('Version') ?? ''}`,
      )
    }
    return stsAnswer(operation, run(call, await this.#caller(routed)), form)
  }

  async #caller({ received, service, form, record }: Routed): Promise<Caller> {
    const { principals, kms } = this.#parts
    const caller = await authenticate(received, {
      service,
      principals,
      verifier: this.#verifier,
      regions: kms.regions,
      nowMs: form.nowMs,
      defects: kms.defects,
    })
    record.accessKeyId = caller.accessKeyId
    record.caller = caller.principal.arn
    return caller
  }
}

/** Which service and operation a request is for: by its host, else by the protocol that it speaks. */
function route({ url, headers, body }: ReceivedRequest): {
  readonly service: Service
  readonly operation: string
  readonly parameters: URLSearchParams
} {
  const target = headers.get('x-amz-target')
  const form = (headers.get('content-type') ?? '').startsWith('application/x-www-form-urlencoded')
  const text = form ? new TextDecoder().decode(body) : ''
  const parameters = new URLSearchParams([...url.searchParams, ...new URLSearchParams(text)])
  const action = parameters.get('Action') ?? ''
  const speaksQuery = target === null && (form || action !== '')
  const service = hostFacts(url.hostname)?.service ?? (speaksQuery ? 'sts' : 'kms')
  if (service === 'sts') return { service, operation: action, parameters }
  const operation = /^TrentService\.(\w+)$/.exec(target ?? '')?.[1] ?? ''
  return { service, operation, parameters }
}
