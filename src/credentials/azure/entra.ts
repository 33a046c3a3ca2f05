import { oneOf, type OptionKinds, wrongOption } from '../../checks/index.ts'
import { checkEndpoint, type EndpointRules, Transport } from '../../http/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'
import { type FlightOptions, webNetwork, webRuntime } from '../../runtime/index.ts'
import { AZURE_CLOUDS, type AzureCloudName } from './clouds.ts'
import { RefreshingTokens } from './sources.ts'
import { readToken } from './token-answer.ts'
import type { AzureCredentialSource } from './token.ts'

/** Options of every credential that Entra ID is asked with. */
export interface EntraOptions extends EndpointRules {
  /** The directory: a GUID or a verified domain. It must be the key store's own. */
  readonly tenantId: string
  /** The application (client) id, a GUID. */
  readonly clientId: string
  /** The cloud whose Entra ID answers: `public` by default. */
  readonly cloud?: AzureCloudName
  /** Replaces the cloud's own Entra ID, e.g. `https://login.example.test`. https only. */
  readonly authority?: string
  /** Timeout of one request, in milliseconds; 2,000 by default. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
}

/** For those who take these options and a proof. */
export const ENTRA_KINDS: OptionKinds<EntraOptions> = {
  tenantId: 'string',
  clientId: 'string',
  cloud: 'string',
  authority: 'string',
  allowHttpLoopback: 'boolean',
  timeoutMs: 'number',
  runtime: 'object',
  network: 'object',
}

/** The token endpoint, which an assertion must name as its audience. */
export interface ProofTarget extends FlightOptions {
  readonly tokenUrl: string
}

/** Parameters of one request that prove the client. */
export type Proof = (target: ProofTarget) => Promise<Readonly<Record<string, string>>>

const PROVIDER = 'azure-entra'

/**
 * Tokens by the client credentials grant, with a proof that is made again for each request.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export function entraCredentials(options: EntraOptions, proof: Proof): AzureCredentialSource {
  const { clientId, runtime = webRuntime, network = webNetwork, timeoutMs } = options
  const tokenUrl = `${authorityOf(options)}/${checkTenant(options.tenantId)}/oauth2/v2.0/token`
  if (!isGuid(clientId)) throw wrongOption('clientId', 'a GUID', clientId)
  const transport = new Transport({ network, timeoutMs })
  return new RefreshingTokens(
    async ({ resource, signal, defer }) => {
      const parameters = {
        grant_type: 'client_credentials',
        client_id: clientId,
        scope: `${resource}/.default`,
        ...(await proof({ tokenUrl, signal, defer })),
      }
      const response = await transport.send({
        method: 'POST',
        url: tokenUrl,
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        },
        body: new URLSearchParams(parameters).toString(),
        signal,
      })
      return readToken(response, { provider: PROVIDER, nowMs: runtime.now() })
    },
    { runtime, network },
  )
}

/** Parameters of a proof by a signed assertion (RFC 7523 section 2.2). */
export function assertionProof(assertion: string): Readonly<Record<string, string>> {
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  }
}

/** Whether a text is a GUID. */
export function isGuid(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

function authorityOf({ cloud = 'public', authority, ...rules }: EntraOptions): string {
  oneOf('cloud', cloud, Object.keys(AZURE_CLOUDS) as AzureCloudName[])
  return checkEndpoint(authority ?? AZURE_CLOUDS[cloud].authority, rules)
}

/** It becomes part of a path: a GUID, or a domain name. `common` and its like have no applications. */
function checkTenant(tenantId: string): string {
  const isDomain = /^(?=.{4,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+$/i.test(tenantId)
  if (isGuid(tenantId) || isDomain) return tenantId
  throw wrongOption('tenantId', 'a GUID or a domain of the directory', tenantId)
}
