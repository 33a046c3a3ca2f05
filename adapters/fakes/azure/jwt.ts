import {
  type Bytes,
  decodeBase64Url,
  decodeUtf8,
  encodeBase64Url,
  encodeUtf8,
} from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'

/** A token in its parts; nothing is verified yet. */
export interface ParsedJwt {
  readonly header: JsonObject
  readonly claims: JsonObject
  readonly signed: Bytes
  readonly signature: Bytes
}

/** Algorithms that are taken; `none` is not proof of anything. */
const ALGORITHMS: ReadonlyMap<
  string,
  readonly [kty: string, members: readonly string[], algorithm: Record<string, unknown>]
> = new Map([
  ['RS256', ['RSA', ['n', 'e'], { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }]],
  ['PS256', ['RSA', ['n', 'e'], { name: 'RSA-PSS', hash: 'SHA-256', saltLength: 32 }]],
  ['ES256', ['EC', ['crv', 'x', 'y'], { name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256' }]],
])

/** The parts of a token, or `undefined` where the text is none. */
export function parseJwt(text: string): ParsedJwt | undefined {
  const [head = '', body = '', tail = '', ...more] = text.split('.')
  const [header, claims] = [objectIn(head), objectIn(body)]
  const signature = decodeBase64Url(tail)
  if (header === undefined || claims === undefined || signature === undefined || more.length > 0)
    return undefined
  return { header, claims, signed: encodeUtf8(`${head}.${body}`), signature }
}

/** Whether one of these public keys signed the token. */
export async function isSignedBy(
  { header, signed, signature }: ParsedJwt,
  keys: readonly JsonWebKey[],
): Promise<boolean> {
  const row = ALGORITHMS.get(String(header['alg']))
  if (row === undefined) return false
  const [kty, members, algorithm] = row
  for (const jwk of keys.filter((one) => one.kty === kty)) {
    const bare: JsonWebKey = { kty }
    for (const name of members) Object.assign(bare, { [name]: (jwk as JsonObject)[name] })
    const parameters = algorithm as unknown as RsaHashedImportParams
    const key = await crypto.subtle.importKey('jwk', bare, parameters, false, ['verify'])
    if (await crypto.subtle.verify(parameters, key, signature, signed)) return true
  }
  return false
}

/** Access tokens of the fake: JWTs under a key that only it has. */
export class TokenMint {
  #key: Promise<CryptoKey> | undefined

  async issue(claims: JsonObject): Promise<string> {
    const text = `${part({ typ: 'JWT', alg: 'HS256' })}.${part(claims)}`
    const signature = await crypto.subtle.sign('HMAC', await this.#hmac(), encodeUtf8(text))
    return `${text}.${encodeBase64Url(new Uint8Array(signature))}`
  }

  async isOwn({ signed, signature }: ParsedJwt): Promise<boolean> {
    return crypto.subtle.verify('HMAC', await this.#hmac(), signature, signed)
  }

  #hmac(): Promise<CryptoKey> {
    this.#key ??= crypto.subtle.importKey(
      'raw',
      crypto.getRandomValues(new Uint8Array(32)),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign', 'verify'],
    )
    return this.#key
  }
}

function part(value: JsonObject): string {
  return encodeBase64Url(encodeUtf8(JSON.stringify(value)))
}

function objectIn(text: string): JsonObject | undefined {
  const bytes = decodeBase64Url(text)
  const json = bytes === undefined ? undefined : decodeUtf8(bytes)
  try {
    const value: unknown = json === undefined ? undefined : JSON.parse(json)
    return typeof value === 'object' && value !== null ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}
