import { KmsError } from '../../errors.ts'
import type { HttpResponse, Transport } from '../../http/index.ts'
import type { Runtime } from '../../ports/index.ts'
import type { AwsCredentials, AwsCredentialSource, CredentialOptions } from './credentials.ts'
import { type AwsErrorRow, type AwsFailure, awsFailure } from './errors.ts'
import { AwsSigner } from './signer.ts'

/** One service of AWS at one endpoint. */
export interface AwsClientOptions {
  readonly provider: string
  readonly service: string
  readonly region: string
  readonly endpoint: string
  readonly credentials: AwsCredentialSource
  readonly transport: Transport
  readonly runtime: Runtime
  readonly errors: ReadonlyMap<string, AwsErrorRow>
}

/** One call. */
export interface AwsCall extends CredentialOptions {
  readonly operation: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Thrown for an error answer; carries what the caller of this module may look at. */
export class AwsCallError extends Error {
  readonly failure: AwsFailure
  constructor(failure: AwsFailure) {
    super(failure.error.message)
    this.failure = failure
  }
}

/**
 * Signed calls to one service. Refused credentials are renewed once and a wrong clock is corrected
 * once, within one call; nothing else is tried again here.
 */
export class AwsClient {
  readonly #options: AwsClientOptions
  readonly #signer = new AwsSigner()
  #skewMs = 0

  constructor(options: AwsClientOptions) {
    this.#options = options
  }

  /** @throws AwsCallError for an error answer; KmsError where there was no answer */
  async call(call: AwsCall): Promise<HttpResponse> {
    const { credentials: source } = this.#options
    const mended = new Set<AwsErrorRow['mend']>()
    let credentials = await this.#credentials(call)
    for (;;) {
      const response = await this.#send(call, credentials)
      if (response.status === 200) return response
      const failure = awsFailure(response, this.#options.errors, {
        provider: this.#options.provider,
        operation: call.operation,
        nowMs: this.#options.runtime.now(),
      })
      if (failure.mend === undefined || mended.has(failure.mend)) throw new AwsCallError(failure)
      mended.add(failure.mend)
      if (failure.mend === 'clock') {
        if (!this.#correctClock(failure)) throw new AwsCallError(failure)
      } else {
        source.refused(credentials)
        const next = await this.#credentials(call)
        if (next === credentials) throw new AwsCallError(failure)
        credentials = next
      }
    }
  }

  #credentials({ signal, defer }: AwsCall): Promise<AwsCredentials> {
    return this.#options.credentials.get({ signal, defer })
  }

  async #send(call: AwsCall, credentials: AwsCredentials): Promise<HttpResponse> {
    const { endpoint, service, region, transport, runtime } = this.#options
    const url = `${endpoint}/`
    const headers = await this.#signer.sign(
      {
        method: 'POST',
        url,
        headers: call.headers,
        body: call.body,
        service,
        region,
        nowMs: runtime.now() + this.#skewMs,
      },
      credentials,
    )
    return transport.send({
      method: 'POST',
      url,
      headers,
      body: call.body,
      signal: call.signal,
    })
  }

  /** Whether the clock was off by enough to be the reason. AWS allows 5 minutes. */
  #correctClock(failure: AwsFailure): boolean {
    if (failure.serverTimeMs === undefined) return false
    const skewMs = failure.serverTimeMs - this.#options.runtime.now()
    if (Math.abs(skewMs - this.#skewMs) < 60_000) return false
    this.#skewMs = skewMs
    return true
  }
}

/** Any failure of a call as the caller's error. */
export function callError(error: unknown): unknown {
  return error instanceof AwsCallError ? error.failure.error : error
}

/** An answer that does not hold what it must. */
export function invalidAnswer(provider: string, operation: string, message: string): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { provider, operation, message })
}
