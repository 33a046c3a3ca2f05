import type { Bytes } from '../../bytes/index.ts'
import type { HttpResponse, Transport } from '../../http/index.ts'
import { correctedSkew } from '../../runtime/index.ts'
import type { AwsSigner, AwsSigningRequest, Runtime } from '../../ports/index.ts'
import type { AwsCredentials, AwsCredentialSource, CredentialOptions } from './credentials.ts'
import { type AwsErrorRow, awsFailure } from './errors.ts'

/** One service of AWS at one endpoint. */
export interface AwsClientOptions {
  readonly provider: string
  readonly service: string
  readonly region: string
  readonly endpoint: string
  readonly credentials: AwsCredentialSource
  readonly transport: Transport
  readonly runtime: Runtime
  readonly signer: AwsSigner
  readonly errors: readonly AwsErrorRow[]
}

/** One call. */
export interface AwsCall extends CredentialOptions {
  readonly operation: string
  /** `POST` by default. */
  readonly method?: AwsSigningRequest['method'] | undefined
  /** Encoded path and query, after the endpoint; `/` by default. */
  readonly path?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Bytes | undefined
  /** Statuses that are answers and not errors, beside 200. */
  readonly answers?: readonly number[] | undefined
  /** AWS's name of an error that is what this call wants to hear. */
  readonly hopesFor?: string | undefined
  readonly hasAttemptTimeout?: boolean | undefined
  /** Which key or table is meant, from the configuration: named where AWS does not know it. */
  readonly subject?: string | undefined
}

/**
 * Signed calls to one service. Refused credentials are renewed once and a wrong clock is corrected
 * once, within one call; nothing else is tried again here.
 */
export class AwsClient {
  readonly #options: AwsClientOptions
  readonly #signer: AwsSigner
  #skewMs = 0

  constructor(options: AwsClientOptions) {
    this.#options = options
    this.#signer = options.signer
  }

  /** @throws KmsError for an error answer, except the one that the call hopes for, and without an answer in time */
  async call(call: AwsCall): Promise<HttpResponse> {
    const { credentials: source, provider, errors, runtime, region } = this.#options
    const { operation, hopesFor, subject, answers = [] } = call
    const mended = new Set<AwsErrorRow['mend']>()
    let credentials = await this.#credentials(call)
    for (;;) {
      const sentSkewMs = this.#skewMs
      const response = await this.#send(call, credentials)
      if (response.status === 200 || answers.includes(response.status)) return response
      const facts = { provider, operation, nowMs: runtime.now(), subject, region }
      const { error, name, mend, serverTimeMs } = awsFailure(response, errors, facts)
      if (name === hopesFor) return response
      if (mend === undefined || mended.has(mend)) throw error
      mended.add(mend)
      if (mend === 'clock') {
        if (!this.#correctClock(serverTimeMs, sentSkewMs)) throw error
      } else {
        source.refused(credentials)
        const next = await this.#credentials(call)
        if (next === credentials) throw error
        credentials = next
      }
    }
  }

  #credentials({ signal, defer }: AwsCall): Promise<AwsCredentials> {
    return this.#options.credentials.get({ signal, defer })
  }

  async #send(call: AwsCall, credentials: AwsCredentials): Promise<HttpResponse> {
    const { endpoint, provider, service, region, transport, runtime } = this.#options
    const { method = 'POST', path = '/', body } = call
    const request = { method, url: endpoint + path, headers: call.headers }
    const nowMs = runtime.now() + this.#skewMs
    const signing = { ...request, body: body ?? '', service, region, nowMs }
    const headers = await this.#signer.sign(signing, credentials)
    const facts = { provider, operation: call.operation }
    const { signal, hasAttemptTimeout } = call
    const sent = { ...request, ...(body !== undefined && { body }), headers }
    return transport.send({ ...sent, signal, hasAttemptTimeout, facts })
  }

  /** Returns whether the request's clock was off by enough to be the reason. AWS allows 5 minutes. */
  #correctClock(serverTimeMs: number, sentSkewMs: number): boolean {
    // Not the skew of now: another call may have corrected it since.
    const skewMs = correctedSkew(serverTimeMs, this.#options.runtime.now(), sentSkewMs)
    if (skewMs === undefined) return false
    this.#skewMs = skewMs
    return true
  }
}
