import { checkFlags, plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import { checkEndpoint, type EndpointRules, Transport } from '../../http/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'
import {
  askForJwt,
  correctedSkew,
  type FlightOptions,
  Refreshing,
  webNetwork,
  webRuntime,
} from '../../runtime/index.ts'
import { checkOptional } from './check-optional.ts'
import {
  CLOUD_PLATFORM_SCOPE,
  type GcpAccessToken,
  type GcpCredentialSource,
} from './credentials.ts'
import { readTokenAnswer } from './oauth.ts'

/** Options that all exchanges of a foreign identity have. */
export interface GcpFederationOptions extends EndpointRules {
  /** `//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/NAME` */
  readonly audience: string
  /** OAuth scope of the access token; all of Google Cloud by default, as far as IAM lets it. */
  readonly scope?: string
  /** Replaces `https://sts.googleapis.com`. https only. */
  readonly endpoint?: string
  /** Timeout of one request, in milliseconds; 2,000 by default. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
}

/** Options of {@link gcpWorkloadIdentity}. */
export interface GcpWorkloadIdentityOptions extends GcpFederationOptions {
  /** Returns an OIDC token of the pool's issuer; called again at each refresh. */
  readonly token: (options: FlightOptions) => Promise<string>
}

/** Makes the proof of the foreign identity, for Google's clock. */
export interface SubjectToken {
  readonly token: string
  readonly type: string
}

const PROVIDER = 'gcp-sts'
const AUDIENCE_FORM =
  'a provider of a workload identity pool: //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER'
const AUDIENCE =
  /^\/\/iam\.googleapis\.com\/projects\/\d{1,20}\/locations\/global\/workloadIdentityPools\/[a-z0-9-]{4,32}\/providers\/[a-z0-9-]{4,32}$/
const PARAMETER = 'urn:ietf:params:oauth:'

/**
 * Returns credentials by workload identity federation, without any stored Google secret. It exchanges an OIDC token
 * for an access token of Google.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
 */
export function gcpWorkloadIdentity(options: GcpWorkloadIdentityOptions): GcpCredentialSource {
  const { token: ask, ...rest } = plainOptions(options)
  if (typeof ask !== 'function') throw wrongOption('token', 'a function', ask)
  const type = `${PARAMETER}token-type:jwt`
  const { network = webNetwork } = rest
  return federation(rest, async (_nowMs, { signal }) => {
    const callback = { name: 'token', provider: PROVIDER, network, signal }
    return { token: await askForJwt((until) => ask({ signal: until }), callback), type }
  })
}

/** An exchange at Google's STS (RFC 8693), once more where a wrong clock may be why it was refused. */
export function federation(
  options: GcpFederationOptions,
  subject: (nowMs: number, options: FlightOptions) => Promise<SubjectToken>,
): GcpCredentialSource {
  const { audience, scope = CLOUD_PLATFORM_SCOPE, ...more } = plainOptions(options)
  const { endpoint = 'https://sts.googleapis.com', allowHttpLoopback, ...rest } = more
  const { timeoutMs, runtime = webRuntime, network = webNetwork, ...others } = rest
  refuseOthers(others)
  checkFlags({ allowHttpLoopback })
  checkOptional('scope', scope)
  if (!AUDIENCE.test(audience)) throw wrongOption('audience', AUDIENCE_FORM, audience)
  const url = `${checkEndpoint(endpoint, { allowHttpLoopback })}/v1/token`
  const transport = new Transport({ network, timeoutMs })
  let skewMs = 0

  async function exchange({ signal }: FlightOptions): Promise<GcpAccessToken> {
    for (let last = false; ; last = true) {
      const { token, type } = await subject(runtime.now() + skewMs, { signal })
      const body = new URLSearchParams({
        grant_type: `${PARAMETER}grant-type:token-exchange`,
        audience,
        scope,
        requested_token_type: `${PARAMETER}token-type:access_token`,
        subject_token_type: type,
        subject_token: token,
      }).toString()
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const response = await transport.send({ method: 'POST', url, headers, body, signal })
      const nowMs = runtime.now()
      const serverTimeMs = Date.parse(response.headers.get('date') ?? '')
      const corrected = correctedSkew(serverTimeMs, nowMs, skewMs)
      const facts = { provider: PROVIDER, operation: 'token', nowMs }
      if (response.status === 200 || last || corrected === undefined)
        return readTokenAnswer(response, facts)
      skewMs = corrected
    }
  }
  return new Refreshing(exchange, { runtime, network })
}
