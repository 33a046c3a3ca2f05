import { decodeUtf8 } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import { OAuthRefusal, Refusal } from './errors.ts'
import { exchange } from './federation.ts'
import type { Input } from './input.ts'
import type { FakeGcpPoolProvider } from './options.ts'
import type { Principal, Tokens } from './tokens.ts'

const LIFE_SECONDS = 3_600

/** A request to a token endpoint. */
export interface TokenCall {
  readonly tokens: Tokens
  readonly nowMs: number
  readonly body: Uint8Array<ArrayBuffer>
}

/** @see https://cloud.google.com/compute/docs/access/authenticate-workloads */
export function metadataToken(
  { tokens, nowMs }: TokenCall,
  machine: string,
  { name, headers }: { readonly name: string; readonly headers: Headers },
): JsonObject {
  if (headers.get('metadata-flavor') !== 'Google' || headers.has('x-forwarded-for'))
    throw new Refusal('accessDenied', 'Missing Metadata-Flavor:Google header.')
  const account = tokens.account(name === 'default' ? machine : name)
  if (account?.email !== machine) throw new Refusal('notFound')
  return bearer(tokens, tokens.principalOf(account), nowMs)
}

/** RFC 8693. */
export async function exchangedToken(
  { tokens, nowMs, body }: TokenCall,
  providers: readonly FakeGcpPoolProvider[],
): Promise<JsonObject> {
  const principal = await exchange(formOf(body), providers, nowMs)
  const issued_token_type = 'urn:ietf:params:oauth:token-type:access_token'
  return { ...bearer(tokens, principal, nowMs), issued_token_type }
}

/** RFC 7523: what Google's own clients do with a service account's key. */
export async function assertedToken({ tokens, nowMs, body }: TokenCall): Promise<JsonObject> {
  const form = formOf(body)
  if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer')
    throw new OAuthRefusal('unsupported_grant_type', 'Invalid grant_type.')
  const claims = await tokens.assertion(form.get('assertion') ?? '', nowMs)
  const account = tokens.account(String(claims?.['iss']))
  if (account === undefined || claims?.['aud'] !== 'https://oauth2.googleapis.com/token')
    throw new OAuthRefusal('invalid_grant', 'Invalid JWT Signature.')
  if (typeof claims['scope'] !== 'string')
    throw new OAuthRefusal('invalid_scope', 'Invalid OAuth scope or ID token audience provided.')
  return bearer(tokens, tokens.principalOf(account), nowMs)
}

/** @see https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken */
export function impersonatedToken(
  { tokens, nowMs }: TokenCall,
  {
    name,
    input,
    caller,
  }: { readonly name: string; readonly input: Input; readonly caller: Principal },
): JsonObject {
  const scopes = input.any('scope')
  const lifetime = input.any('lifetime') ?? `${String(LIFE_SECONDS)}s`
  const delegates = (input.any('delegates') ?? []) as readonly string[]
  input.end()
  const seconds = Number(
    /^(\d{1,6})s$/.exec(typeof lifetime === 'string' ? lifetime : '')?.[1] ?? NaN,
  )
  if (!Array.isArray(scopes) || scopes.length === 0 || !(seconds > 0 && seconds <= LIFE_SECONDS))
    throw new Refusal('invalid')
  const chain = [...delegates.map((one) => one.slice(one.lastIndexOf('/') + 1)), name]
  let who = caller.id
  for (const email of chain) {
    const account = tokens.account(email)
    if (account?.tokenCreators?.includes(who) !== true)
      throw new Refusal(
        'accessDenied',
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
      )
    who = email
  }
  const account = tokens.account(name)
  if (account === undefined) throw new Refusal('notFound')
  const expiresAtMs = Math.floor(nowMs / 1_000 + seconds) * 1_000
  const accessToken = tokens.issue(tokens.principalOf(account), expiresAtMs)
  return { accessToken, expireTime: new Date(expiresAtMs).toISOString().replace('.000Z', 'Z') }
}

function bearer(tokens: Tokens, principal: Principal, nowMs: number): JsonObject {
  const access_token = tokens.issue(principal, nowMs + LIFE_SECONDS * 1_000)
  return { access_token, expires_in: LIFE_SECONDS, token_type: 'Bearer' }
}

function formOf(body: Uint8Array<ArrayBuffer>): URLSearchParams {
  return new URLSearchParams(decodeUtf8(body) ?? '')
}
