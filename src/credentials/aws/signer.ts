import { encodeUtf8 } from '../../bytes/index.ts'
import type { Hasher } from '../../ports/index.ts'
import type { AwsCredentials } from './credentials.ts'
import { hexOf, webHasher } from './web-hasher.ts'

/** What is signed. */
export interface SigningRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  /** Names in lower case. All are signed. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly service: string
  readonly region: string
  /** The time that the signature names, milliseconds since the epoch: the clock, corrected for skew. */
  readonly nowMs: number
}

/** A derived key, with the day, region and service that it is for. */
interface SigningKey {
  readonly scope: string
  readonly key: unknown
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/**
 * Signs requests to AWS with Signature Version 4. A key is derived once a day for each credentials
 * object, and with WebCrypto cannot be exported; the secret is kept nowhere else than in that object.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export class AwsSigner {
  readonly #keys = new WeakMap<AwsCredentials, SigningKey>()
  readonly #hasher: Hasher

  constructor(hasher: Hasher = webHasher) {
    this.#hasher = hasher
  }

  /** The request's headers with `authorization`, `x-amz-date` and `x-amz-security-token`. */
  async sign(
    request: SigningRequest,
    credentials: AwsCredentials,
  ): Promise<Record<string, string>> {
    const { method, url, service, region, body, nowMs } = request
    const { accessKeyId, sessionToken } = credentials
    const time = new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, '')
    const scope = `${time.slice(0, 8)}/${region}/${service}/aws4_request`
    const headers: Record<string, string> = { ...request.headers, 'x-amz-date': time }
    if (sessionToken !== undefined) headers['x-amz-security-token'] = sessionToken
    const { host, pathname, searchParams } = new URL(url)
    const signed: Readonly<Record<string, string>> = { ...headers, host }
    const names = Object.keys(signed).sort()
    const list = names.join(';')
    const canonical = [
      method,
      strictly(pathname.replace(/\/+/g, '/')).replaceAll('%2F', '/'),
      queryOf(searchParams),
      ...names.map((name) => `${name}:${(signed[name] as string).trim().replace(/\s+/g, ' ')}`),
      '',
      list,
      await this.#hasher.sha256(body),
    ].join('\n')
    const text = `${ALGORITHM}\n${time}\n${scope}\n${await this.#hasher.sha256(canonical)}`
    const signature = hexOf(await this.#hasher.hmac(await this.#keyFor(scope, credentials), text))
    headers['authorization'] =
      `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${list}, Signature=${signature}`
    return headers
  }

  async #keyFor(scope: string, credentials: AwsCredentials): Promise<unknown> {
    const held = this.#keys.get(credentials)
    if (held?.scope === scope) return held.key
    const hasher = this.#hasher
    let key = await hasher.hmacKey(encodeUtf8(`AWS4${credentials.secretAccessKey}`))
    for (const part of scope.split('/')) key = await hasher.hmacKey(await hasher.hmac(key, part))
    this.#keys.set(credentials, { scope, key })
    return key
  }
}

/** In the order of the encoded names, then of the values. */
function queryOf(parameters: URLSearchParams): string {
  const pairs = Array.from(parameters, (pair) => pair.map(strictly).join('\n'))
  return pairs.sort().join('&').replaceAll('\n', '=')
}

/** Percent-encodes all but the unreserved characters of RFC 3986. */
function strictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
