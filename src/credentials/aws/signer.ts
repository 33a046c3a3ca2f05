import { AwsV4Signer } from 'aws4fetch'
import type { AwsCredentials } from './credentials.ts'

/** What is signed. */
export interface SigningRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly service: string
  readonly region: string
  /** The time that the signature names, milliseconds since the epoch: the clock, corrected for skew. */
  readonly nowMs: number
}

/**
 * The signing keys that aws4fetch derives, one for each credentials object. aws4fetch names them by
 * a string that begins with the secret: that string is not kept here, only what follows it.
 */
class SigningKeys extends Map<string, ArrayBuffer> {
  readonly #secretLength: number
  #scope: string | undefined
  #key: ArrayBuffer | undefined

  constructor(secretLength: number) {
    super()
    this.#secretLength = secretLength
  }

  override get(name: string): ArrayBuffer | undefined {
    return this.#scope === name.slice(this.#secretLength) ? this.#key : undefined
  }

  override set(name: string, key: ArrayBuffer): this {
    this.#scope = name.slice(this.#secretLength)
    this.#key = key
    return this
  }
}

/** Signs requests to AWS (Signature Version 4), all headers included that SigV4 allows. */
export class AwsSigner {
  readonly #keys = new WeakMap<AwsCredentials, SigningKeys>()

  /** The request's headers with `Authorization`, `X-Amz-Date` and `X-Amz-Security-Token`. */
  async sign(request: SigningRequest, credentials: AwsCredentials): Promise<Headers> {
    let cache = this.#keys.get(credentials)
    if (cache === undefined) {
      cache = new SigningKeys(credentials.secretAccessKey.length)
      this.#keys.set(credentials, cache)
    }
    const signer = new AwsV4Signer({
      method: request.method,
      url: request.url,
      headers: request.headers,
      body: request.body,
      service: request.service,
      region: request.region,
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken !== undefined && { sessionToken: credentials.sessionToken }),
      datetime: new Date(request.nowMs).toISOString().replace(/[:-]|\.\d{3}/g, ''),
      cache,
    })
    return (await signer.sign()).headers
  }
}
