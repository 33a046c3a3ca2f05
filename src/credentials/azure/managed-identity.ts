import {
  checkOptions,
  configError,
  optionError,
  type OptionKinds,
  wrongOption,
} from '../../checks/index.ts'
import { Transport } from '../../http/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'
import { retrying, webNetwork, webRuntime } from '../../runtime/index.ts'
import { isGuid } from './entra.ts'
import { isHeaderValue, RefreshingTokens } from './sources.ts'
import { readToken } from './token-answer.ts'
import type { AzureCredentialSource, AzureToken } from './token.ts'

/** Selects one of several identities; by default the system-assigned one. Give at most one of these options. */
export interface AzureIdentityOptions {
  readonly clientId?: string
  readonly objectId?: string
  /** The identity's Azure resource id, `/subscriptions/…`. */
  readonly resourceId?: string
  /** Timeout of one request, in milliseconds; 10,000 by default. Up to four requests are made, within 30 seconds. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
}

/** Options of {@link azureAppServiceIdentity}. */
export interface AzureAppServiceOptions extends AzureIdentityOptions {
  /** `IDENTITY_ENDPOINT`: plain http is allowed to loopback and link-local addresses only. */
  readonly endpoint: string
  /** `IDENTITY_HEADER`; it proves that the caller runs inside the app. */
  readonly header: string
}

const KINDS: OptionKinds<AzureIdentityOptions> = {
  clientId: 'string',
  objectId: 'string',
  resourceId: 'string',
  timeoutMs: 'number',
  runtime: 'object',
  network: 'object',
}
const APP_KINDS: OptionKinds<AzureAppServiceOptions> = /* @__PURE__ */ (() => ({
  ...KINDS,
  endpoint: 'string',
  header: 'string',
}))()

const PROVIDER = 'azure-identity'
/** The fixed address of the Instance Metadata Service. */
const IMDS = 'http://169.254.169.254/metadata/identity/oauth2/token'
/** App Service gives every sandbox an address of its own; Container Apps uses localhost. */
const NEAR = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|169\.254(?:\.\d{1,3}){2})$/

/**
 * Returns credentials of the managed identity of a virtual machine, scale set or AKS node, by the Instance Metadata
 * Service.
 *
 * Azure Arc is not supported: its proof is a file of the machine, which this package does not read.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
 */
export function azureManagedIdentity(options: AzureIdentityOptions = {}): AzureCredentialSource {
  checkOptions(options, KINDS)
  return identity(options, IMDS, {
    apiVersion: '2018-02-01',
    resourceIdName: 'msi_res_id',
    headers: { metadata: 'true' },
    // 404 and 410: the service is being updated, back within 70 seconds.
    unavailable: [404, 410],
  })
}

/**
 * Returns credentials of the managed identity of App Service, Functions and Container Apps.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://learn.microsoft.com/azure/app-service/overview-managed-identity
 */
export function azureAppServiceIdentity(options: AzureAppServiceOptions): AzureCredentialSource {
  checkOptions(options, APP_KINDS)
  const { endpoint, header } = options
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  const near = url?.protocol === 'http:' && NEAR.test(url.hostname)
  if (url === undefined || (url.protocol !== 'https:' && !near))
    throw optionError('endpoint', 'must be a URL that is https, loopback or link-local')
  if (url.username + url.password + url.search + url.hash !== '')
    throw optionError('endpoint', 'must have no user, query or fragment')
  if (!isHeaderValue(header))
    throw wrongOption('header', 'the value of IDENTITY_HEADER: printable ASCII', header)
  return identity(options, url.href, {
    apiVersion: '2019-08-01',
    resourceIdName: 'mi_res_id',
    headers: { 'x-identity-header': header },
    unavailable: [],
  })
}

/** How one metadata service differs from the other. */
interface Dialect {
  readonly apiVersion: string
  readonly resourceIdName: string
  readonly headers: Readonly<Record<string, string>>
  readonly unavailable: readonly number[]
}

function identity(
  options: AzureIdentityOptions,
  endpoint: string,
  { apiVersion, resourceIdName, headers, unavailable }: Dialect,
): AzureCredentialSource {
  const { runtime = webRuntime, network = webNetwork, timeoutMs = 10_000 } = options
  const which = whichIdentity(options, resourceIdName)
  const transport = new Transport({ network, timeoutMs })
  const ask = async (url: string, signal: AbortSignal | undefined): Promise<AzureToken> => {
    const request = {
      method: 'GET',
      url,
      headers: { accept: 'application/json', ...headers },
    } as const
    const response = await transport.send({ ...request, signal, facts: { provider: PROVIDER } })
    return readToken(response, { provider: PROVIDER, nowMs: runtime.now(), unavailable })
  }
  return new RefreshingTokens(
    ({ resource, signal }) => {
      const query = new URLSearchParams({ 'api-version': apiVersion, resource, ...which })
      const url = `${endpoint}?${query.toString()}`
      return retrying(() => ask(url, signal), network, signal)
    },
    { runtime, network },
  )
}

function whichIdentity(
  { clientId, objectId, resourceId }: AzureIdentityOptions,
  resourceIdName: string,
): Record<string, string> {
  const given = [clientId, objectId, resourceId].filter((one) => one !== undefined)
  if (given.length > 1)
    throw configError('clientId, objectId and resourceId exclude each other: give at most one')
  for (const [name, guid] of Object.entries({ clientId, objectId }))
    if (guid !== undefined && !isGuid(guid)) throw wrongOption(name, 'a GUID', guid)
  if (resourceId !== undefined && !/^\/subscriptions\/[\w\-./()]{1,1000}$/.test(resourceId))
    throw wrongOption('resourceId', 'an id such as /subscriptions/…', resourceId)
  if (clientId !== undefined) return { client_id: clientId }
  if (objectId !== undefined) return { object_id: objectId }
  return resourceId === undefined ? {} : { [resourceIdName]: resourceId }
}
