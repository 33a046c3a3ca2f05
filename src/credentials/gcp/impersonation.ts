import { checkFlags, integer, plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import { checkEndpoint, type EndpointRules, stringField, Transport } from '../../http/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'
import { Refreshing, webNetwork, webRuntime } from '../../runtime/index.ts'
import { GcpClient } from './client.ts'
import {
  CLOUD_PLATFORM_SCOPE,
  type GcpCredentialsOption,
  type GcpCredentialSource,
} from './credentials.ts'
import { takeToken } from './oauth.ts'
import { toTokenSource } from './sources.ts'

/** Options of {@link gcpImpersonation}. */
export interface GcpImpersonationOptions extends EndpointRules {
  /** E-mail address of the service account to become. */
  readonly serviceAccount: string
  /** The caller, which needs roles/iam.serviceAccountTokenCreator. Its tokens must be for IAM Credentials too. */
  readonly credentials: GcpCredentialsOption
  /** OAuth scopes of the access token; all of Google Cloud by default, as far as IAM lets it. */
  readonly scopes?: readonly string[]
  /** Life of the access token: 60 to 3,600 seconds, the default. Up to 43,200 if the organisation allows it. */
  readonly lifetimeSeconds?: number
  /** E-mail addresses of the service accounts in between, if roles are chained. */
  readonly delegates?: readonly string[]
  /** Replaces `https://iamcredentials.googleapis.com`. https only. */
  readonly endpoint?: string
  /** Timeout of one request, in milliseconds; 2,000 by default. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
}

const PROVIDER = 'gcp-iam'
const OPERATION = 'GenerateAccessToken'

/**
 * Returns access tokens of a service account that your credentials may impersonate.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
 */
export function gcpImpersonation(options: GcpImpersonationOptions): GcpCredentialSource {
  const {
    serviceAccount,
    credentials,
    scopes = [CLOUD_PLATFORM_SCOPE],
    ...more
  } = plainOptions(options)
  const { lifetimeSeconds = 3_600, delegates = [], ...rest } = more
  const { endpoint = 'https://iamcredentials.googleapis.com', allowHttpLoopback, ...last } = rest
  const { timeoutMs, runtime = webRuntime, network = webNetwork, ...others } = last
  refuseOthers(others)
  checkFlags({ allowHttpLoopback })
  if (!areTexts(scopes) || scopes.length === 0)
    throw wrongOption('scopes', 'an array of at least one OAuth scope', scopes)
  if (!areTexts(delegates))
    throw wrongOption('delegates', 'an array of e-mail addresses of service accounts', delegates)
  integer('lifetimeSeconds', lifetimeSeconds, 60, 43_200)
  const account = accountName('serviceAccount', serviceAccount)
  const url = `${checkEndpoint(endpoint, { allowHttpLoopback })}/v1/${account}:generateAccessToken`
  const body = {
    scope: [...scopes],
    lifetime: `${String(lifetimeSeconds)}s`,
    ...(delegates.length > 0 && {
      delegates: delegates.map((one) => accountName('delegates', one)),
    }),
  }
  const client = new GcpClient({
    provider: PROVIDER,
    credentials: toTokenSource(credentials, { runtime, network }),
    transport: new Transport({ network, timeoutMs }),
    runtime,
  })
  return new Refreshing(
    async (call) => {
      const answer = await client.call({ ...call, operation: OPERATION, method: 'POST', url, body })
      const token = stringField(answer, 'accessToken')
      const expiresAtMs = Date.parse(stringField(answer, 'expireTime'))
      const facts = { provider: PROVIDER, operation: OPERATION, nowMs: runtime.now() }
      return takeToken({ token, expiresAtMs }, facts)
    },
    { runtime, network },
  )
}

function areTexts(list: readonly unknown[]): boolean {
  return Array.isArray(list) && list.every((one) => typeof one === 'string' && one !== '')
}

function accountName(option: string, email: string): string {
  if (/^[\w.+-]{1,256}@[\w.-]{1,256}$/.test(email)) return `projects/-/serviceAccounts/${email}`
  throw wrongOption(option, 'the e-mail address of a service account', email)
}
