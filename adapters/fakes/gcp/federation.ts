import { parseJsonObject } from '../../../src/http/index.ts'
import { isSignedBy, parseJwt } from '../azure/jwt.ts'
import { OAuthRefusal } from './errors.ts'
import type { FakeGcpPoolProvider } from './options.ts'
import type { Principal } from './tokens.ts'

const TYPES = 'urn:ietf:params:oauth:token-type:'

/**
 * Returns the identity that a foreign token proves, for a provider of a workload identity pool.
 *
 * @throws OAuthRefusal
 * @see https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 */
export async function exchange(
  form: URLSearchParams,
  providers: readonly FakeGcpPoolProvider[],
  nowMs: number,
): Promise<Principal> {
  const field = (name: string): string => form.get(name) ?? ''
  if (field('grant_type') !== 'urn:ietf:params:oauth:grant-type:token-exchange')
    throw new OAuthRefusal('unsupported_grant_type', 'grant_type is not token-exchange.')
  if (field('requested_token_type') !== `${TYPES}access_token`)
    throw new OAuthRefusal('invalid_request', 'requested_token_type is not supported.')
  if (field('scope') === '') throw new OAuthRefusal('invalid_scope', 'scope must be provided.')
  const provider = providers.find(({ audience }) => audience === field('audience'))
  if (provider === undefined)
    throw new OAuthRefusal('invalid_target', 'The target service indicated by audience is invalid.')
  const type = field('subject_token_type')
  const token = field('subject_token')
  if (type === 'urn:ietf:params:aws:token-type:aws4_request') return fromAws(token, provider)
  if (type === `${TYPES}jwt` || type === `${TYPES}id_token`) return fromJwt(token, provider, nowMs)
  throw new OAuthRefusal('invalid_request', 'subject_token_type is not supported.')
}

async function fromJwt(
  token: string,
  provider: FakeGcpPoolProvider,
  nowMs: number,
): Promise<Principal> {
  const { issuer, keys = [], audience } = provider
  const jwt = parseJwt(token)
  if (jwt === undefined || issuer === undefined || jwt.claims['iss'] !== issuer)
    throw invalidGrant('The issuer in ID Token does not match the expected one.')
  if (!(await isSignedBy(jwt, keys))) throw invalidGrant('Invalid signature for ID Token.')
  const { aud, exp, iat, sub } = jwt.claims
  const allowed = provider.allowedAudiences ?? [`https:${audience}`, audience]
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!allowed.some((one) => named.includes(one)))
    throw invalidGrant('The audience in ID Token does not match the expected audience.')
  const now = nowMs / 1_000
  if (typeof exp !== 'number' || typeof iat !== 'number' || now >= exp || iat > now + 300)
    throw invalidGrant('ID Token is not valid at this time.')
  if (typeof sub !== 'string' || sub === '') throw invalidGrant('ID Token has no sub.')
  return principalIn(provider, sub)
}

/** Sends the signed request to AWS's STS, as Google does. */
async function fromAws(token: string, provider: FakeGcpPoolProvider): Promise<Principal> {
  const call = signedCall(token)
  const { awsSts, awsAccount, audience } = provider
  if (call === undefined || awsSts === undefined) throw invalidGrant('Invalid AWS token.')
  const { host, pathname, search, protocol } = new URL(call.url)
  const named = call.headers.get('x-goog-cloud-target-resource')
  const query = '?Action=GetCallerIdentity&Version=2011-06-15'
  const isSts = /^sts\.[a-z0-9-]+\.amazonaws\.com$/.test(host) && pathname === '/'
  if (protocol !== 'https:' || !isSts || search !== query)
    throw invalidGrant('The AWS token is not for GetCallerIdentity.')
  if (
    named !== audience ||
    !(call.headers.get('authorization') ?? '').includes('x-goog-cloud-target')
  )
    throw invalidGrant('x-goog-cloud-target-resource must be signed and name the audience.')
  const headers = new Headers(call.headers)
  headers.set('accept', 'application/json')
  const response = await awsSts(new Request(call.url, { method: 'POST', headers }))
  const arn = arnIn(new Uint8Array(await response.arrayBuffer()))
  if (response.status !== 200 || arn === undefined)
    throw invalidGrant('AWS did not accept the signed request.')
  if (awsAccount !== undefined && arn.split(':')[4] !== awsAccount)
    throw invalidGrant('The AWS account is not the expected one.')
  return principalIn(provider, arn)
}

interface SignedCall {
  readonly url: string
  readonly headers: Headers
}

function signedCall(token: string): SignedCall | undefined {
  try {
    const call = JSON.parse(decodeURIComponent(token)) as {
      url: string
      method: string
      headers: { key: string; value: string }[]
    }
    const headers = new Headers(
      call.headers.map(({ key, value }): [string, string] => [key, value]),
    )
    headers.delete('host')
    return call.method === 'POST' && URL.canParse(call.url) ? { url: call.url, headers } : undefined
  } catch {
    return undefined
  }
}

function arnIn(body: Uint8Array<ArrayBuffer>): string | undefined {
  let value: unknown = parseJsonObject(body)
  for (const name of ['GetCallerIdentityResponse', 'GetCallerIdentityResult', 'Arn'])
    value = (value as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : undefined
}

function principalIn({ audience, policy = {} }: FakeGcpPoolProvider, subject: string): Principal {
  const pool = audience.replace(/\/providers\/.*$/, '')
  return { id: `principal:${pool}/subject/${subject}`, policy }
}

function invalidGrant(message: string): OAuthRefusal {
  return new OAuthRefusal('invalid_grant', message)
}
