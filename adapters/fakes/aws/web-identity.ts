import { type Bytes, decodeBase64Url, decodeUtf8, encodeUtf8 } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import { Refusal } from './errors.ts'
import type { FakeAwsIdentityProvider } from './options.ts'

/** The claims of a token that was verified. */
export interface WebIdentity {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
}

/** The algorithms that are taken here; `none` and HMAC are not proof of anything. */
const ALGORITHMS = new Map([
  [
    'RS256',
    { kty: 'RSA', members: ['n', 'e'], algorithm: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } },
  ],
  [
    'ES256',
    {
      kty: 'EC',
      members: ['crv', 'x', 'y'],
      algorithm: { name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256' },
    },
  ],
])

/**
 * Verifies an OpenID Connect token: signature, issuer, audience and times.
 *
 * @throws Refusal `invalidIdentityToken`, `identityTokenExpired`
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export async function verifyWebIdentity(
  token: string,
  providers: readonly FakeAwsIdentityProvider[],
  nowMs: number,
): Promise<WebIdentity> {
  const [head, body, signature, ...more] = token.split('.')
  const header = part(head)
  const claims = part(body)
  const signed = signature === undefined ? undefined : decodeBase64Url(signature)
  if (header === undefined || claims === undefined || signed === undefined || more.length > 0) {
    throw invalid('The ID Token provided is not a valid JWT.')
  }
  const issuer = claim(claims, 'iss')
  const provider = providers.find((one) => one.issuer === issuer)
  if (provider === undefined) {
    throw invalid(`No OpenIDConnect provider found in your account for ${issuer}`)
  }
  if (!(await isSignedBy(provider, header, encodeUtf8(`${head ?? ''}.${body ?? ''}`), signed))) {
    throw invalid(`Couldn't retrieve verification key from your identity provider`)
  }
  const subject = claim(claims, 'sub')
  const named: unknown = claims['aud']
  const audiences: readonly unknown[] = Array.isArray(named) ? named : [named]
  const audience = provider.audiences.find((one) => audiences.includes(one))
  if (audience === undefined) throw invalid('Incorrect token audience')
  checkTimes(claims, Math.floor(nowMs / 1_000))
  return { issuer, subject, audience }
}

async function isSignedBy(
  { keys }: FakeAwsIdentityProvider,
  header: JsonObject,
  signed: Bytes,
  signature: Bytes,
): Promise<boolean> {
  const row = typeof header['alg'] === 'string' ? ALGORITHMS.get(header['alg']) : undefined
  if (row === undefined) return false
  for (const jwk of keys) {
    const kid: unknown = (jwk as JsonObject)['kid']
    if (jwk.kty !== row.kty || (header['kid'] !== undefined && header['kid'] !== kid)) continue
    // `use`, `alg` and `key_ops` of a published key must not get in the way.
    const bare: JsonWebKey = { kty: row.kty }
    for (const name of row.members) Object.assign(bare, { [name]: (jwk as JsonObject)[name] })
    const key = await crypto.subtle.importKey('jwk', bare, row.algorithm, false, ['verify'])
    if (await crypto.subtle.verify(row.algorithm, key, signature, signed)) return true
  }
  return false
}

function checkTimes(claims: JsonObject, nowSeconds: number): void {
  const expires = claims['exp']
  const issued = claims['iat']
  const notBefore = claims['nbf'] ?? issued
  if (typeof expires !== 'number') throw invalid('Missing a required claim: exp')
  if (typeof issued !== 'number') throw invalid('Missing a required claim: iat')
  if (typeof notBefore !== 'number' || notBefore > nowSeconds + 300) {
    throw invalid('The token is not valid yet.')
  }
  if (nowSeconds >= expires) {
    throw new Refusal(
      'identityTokenExpired',
      `Token expired: current date/time ${nowSeconds} must be before the expiration date/time ${expires}`,
    )
  }
}

function claim(claims: JsonObject, name: string): string {
  const value = claims[name]
  if (typeof value === 'string' && value !== '') return value
  throw invalid(`Missing a required claim: ${name}`)
}

/** A part of a token as a JSON object. */
function part(text: string | undefined): JsonObject | undefined {
  const bytes = text === undefined ? undefined : decodeBase64Url(text)
  const json = bytes === undefined ? undefined : decodeUtf8(bytes)
  try {
    const value: unknown = json === undefined ? undefined : JSON.parse(json)
    return typeof value === 'object' && value !== null ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

function invalid(message: string): Refusal {
  return new Refusal('invalidIdentityToken', message)
}
