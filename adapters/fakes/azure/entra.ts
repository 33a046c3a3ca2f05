import type { JsonObject } from '../../../src/http/index.ts'
import { TokenRefusal } from './errors.ts'
import { isSignedBy, type ParsedJwt, parseJwt, type TokenMint } from './jwt.ts'
import type { FakeAzureApplication, FakeAzureDefect } from './options.ts'

/** The parts that the token endpoint uses. */
export interface EntraParts {
  readonly tenantId: string
  readonly applications: readonly FakeAzureApplication[]
  readonly mint: TokenMint
  readonly tokenSeconds: number
  readonly defects: ReadonlySet<FakeAzureDefect>
  readonly now: () => number
}

/** One token request. */
export interface TokenRequest {
  readonly url: URL
  readonly parameters: URLSearchParams
}

const BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** Resources that exist here; any other is unknown to the directory. */
const RESOURCE = /^https:\/\/(?:vault|managedhsm)\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)$/

/**
 * The client credentials grant.
 *
 * @throws TokenRefusal with Entra's numbers: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
export async function grantToken(parts: EntraParts, request: TokenRequest): Promise<JsonObject> {
  const { url, parameters } = request
  if (!url.pathname.startsWith(`/${parts.tenantId}/`))
    throw new TokenRefusal(400, 'invalid_request', 90_002)
  if (parameters.get('grant_type') !== 'client_credentials')
    throw new TokenRefusal(400, 'unsupported_grant_type', 70_003)
  const application = parts.applications.find(
    ({ clientId }) => clientId === parameters.get('client_id'),
  )
  if (application === undefined) throw new TokenRefusal(400, 'unauthorized_client', 700_016)
  await prove(parts, application, request)
  const scope = parameters.get('scope') ?? ''
  if (!scope.endsWith('/.default')) throw new TokenRefusal(400, 'invalid_scope', 1_002_012)
  return issue(parts, application, scope.slice(0, -'/.default'.length))
}

/** An access token for a resource. */
export async function issue(
  { mint, tenantId, tokenSeconds, now }: EntraParts,
  { clientId }: FakeAzureApplication,
  resource: string,
): Promise<JsonObject> {
  if (!RESOURCE.test(resource)) throw new TokenRefusal(400, 'invalid_resource', 500_011)
  const seconds = Math.floor(now() / 1_000)
  const claims = {
    aud: resource,
    iss: `https://sts.windows.net/${tenantId}/`,
    iat: seconds,
    nbf: seconds,
    exp: seconds + tokenSeconds,
    appid: clientId,
    tid: tenantId,
    uti: crypto.randomUUID(),
  }
  return {
    token_type: 'Bearer',
    expires_in: tokenSeconds,
    ext_expires_in: tokenSeconds,
    access_token: await mint.issue(claims),
  }
}

async function prove(
  parts: EntraParts,
  application: FakeAzureApplication,
  request: TokenRequest,
): Promise<void> {
  const { parameters } = request
  const secret = parameters.get('client_secret')
  const assertion = parameters.get('client_assertion')
  if (secret !== null) {
    const known = application.clientSecret
    if (known === undefined) throw new TokenRefusal(401, 'invalid_client', 7_000_215)
    if (secret === known || parts.defects.has('accepts-any-secret')) return
    throw new TokenRefusal(401, 'invalid_client', 7_000_215)
  }
  if (assertion === null || parameters.get('client_assertion_type') !== BEARER)
    throw new TokenRefusal(401, 'invalid_client', 7_000_218)
  const jwt = parseJwt(assertion)
  if (jwt === undefined) throw new TokenRefusal(401, 'invalid_client', 50_027)
  await (jwt.claims['iss'] === application.clientId
    ? byCertificate(parts, application, request, jwt)
    : byFederation(parts, application, jwt))
}

/** @see https://learn.microsoft.com/entra/identity-platform/certificate-credentials */
async function byCertificate(
  parts: EntraParts,
  { clientId, certificates = [] }: FakeAzureApplication,
  { url }: TokenRequest,
  jwt: ParsedJwt,
): Promise<void> {
  const { header, claims } = jwt
  const named = certificates.find(({ thumbprint }) => thumbprint === header['x5t#S256'])
  if (named === undefined) throw new TokenRefusal(401, 'invalid_client', 700_027)
  const signed = header['alg'] !== 'ES256' && (await isSignedBy(jwt, [named.key]))
  if (!signed && !parts.defects.has('accepts-any-assertion'))
    throw new TokenRefusal(401, 'invalid_client', 700_027)
  const seconds = parts.now() / 1_000
  const { aud, sub, jti, exp, nbf } = claims
  if (sub !== clientId || typeof jti !== 'string' || aud !== url.origin + url.pathname)
    throw new TokenRefusal(401, 'invalid_client', 700_023)
  if (!(Number(nbf) <= seconds + 300 && seconds < Number(exp)))
    throw new TokenRefusal(401, 'invalid_client', 700_024)
}

/** @see https://learn.microsoft.com/entra/workload-id/workload-identity-federation */
async function byFederation(
  parts: EntraParts,
  { federations = [] }: FakeAzureApplication,
  jwt: ParsedJwt,
): Promise<void> {
  const { iss, sub, aud, exp } = jwt.claims
  const trusted = federations.find(
    ({ issuer, subject, audience = 'api://AzureADTokenExchange' }) =>
      issuer === iss &&
      subject === sub &&
      (aud === audience || (Array.isArray(aud) && aud.includes(audience))),
  )
  if (trusted === undefined) throw new TokenRefusal(401, 'invalid_client', 700_213)
  const signed = await isSignedBy(jwt, trusted.keys)
  if (!signed && !parts.defects.has('accepts-any-assertion'))
    throw new TokenRefusal(401, 'invalid_client', 5_000_224)
  if (!(parts.now() / 1_000 < Number(exp))) throw new TokenRefusal(401, 'invalid_client', 700_024)
}
