import { configError, plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import { KmsError } from '../../errors.ts'
import { parseJsonObject, Transport } from '../../http/index.ts'
import type { Network } from '../../ports/index.ts'
import { jwtOf, webNetwork } from '../../runtime/index.ts'
import { checkAudience } from './check-audience.ts'
import type { OidcTokenSource } from './oidc-token-source.ts'

/** Options of {@link githubActionsToken}. */
export interface GithubActionsTokenOptions {
  /** `process.env`, or any object with `ACTIONS_ID_TOKEN_REQUEST_URL` and `…_TOKEN`. */
  readonly env: object
  /** The `aud` that the other side expects. */
  readonly audience: string
  /** Timeout of one request, in milliseconds; 5,000 by default. */
  readonly timeoutMs?: number
  readonly network?: Network
}

const PROVIDER = 'github-actions'

/**
 * Returns a source of the OIDC tokens of a GitHub Actions job. The job needs `permissions: id-token: write`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://docs.github.com/en/actions/reference/security/oidc
 */
export function githubActionsToken(options: GithubActionsTokenOptions): OidcTokenSource {
  const {
    env: variables,
    audience,
    timeoutMs = 5_000,
    network = webNetwork,
    ...others
  } = plainOptions(options)
  refuseOthers(others)
  checkAudience(audience)
  if (Object(variables) !== variables)
    throw wrongOption('env', 'an object with the variables', variables)
  const env = variables as Readonly<Record<string, unknown>>
  const given = env['ACTIONS_ID_TOKEN_REQUEST_URL']
  const bearer = env['ACTIONS_ID_TOKEN_REQUEST_TOKEN']
  if (typeof given !== 'string' || !URL.canParse(given))
    throw configError(
      'ACTIONS_ID_TOKEN_REQUEST_URL is not set: give the job the permission id-token: write',
    )
  if (typeof bearer !== 'string' || !/^[\x21-\x7e]+$/.test(bearer))
    throw configError(
      'ACTIONS_ID_TOKEN_REQUEST_TOKEN must be visible ASCII, got nothing or other text: give the job the permission id-token: write',
    )
  const url = new URL(given)
  if (url.protocol !== 'https:' || url.username + url.password !== '')
    throw configError(
      'ACTIONS_ID_TOKEN_REQUEST_URL must be an https URL without a user: leave it as GitHub sets it',
    )
  url.searchParams.set('audience', audience)
  const transport = new Transport({ network, timeoutMs })
  const headers = { accept: 'application/json', authorization: `bearer ${bearer}` }
  return async ({ signal } = {}) => {
    const response = await transport.send({ method: 'GET', url: url.href, headers, signal })
    const { status } = response
    if (status === 200) return jwtOf(parseJsonObject(response.body)?.['value'], PROVIDER)
    const refused = status === 401 || status === 403
    const code = refused ? 'ERR_KMS_UNAUTHENTICATED' : 'ERR_KMS_UNAVAILABLE'
    throw new KmsError(code, { provider: PROVIDER, status })
  }
}
