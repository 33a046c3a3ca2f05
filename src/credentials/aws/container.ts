import { checkOptions, configError, optionError, type OptionKinds } from '../../checks/index.ts'
import { KmsError, type KmsErrorDetails } from '../../errors.ts'
import {
  type HttpResponse,
  type JsonObject,
  parseJsonObject,
  retryAfterMs,
  stringField,
  Transport,
} from '../../http/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'
import { askCallback, Refreshing, retrying, webNetwork, webRuntime } from '../../runtime/index.ts'
import type { AwsCredentials, AwsCredentialSource } from './credentials.ts'
import { checkCredentials } from './sources.ts'

/** Options of {@link containerCredentials}. */
export interface ContainerCredentialsOptions {
  /** `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` of ECS: a path on its fixed address, with or without a query. */
  readonly relativeUri?: string
  /** `AWS_CONTAINER_CREDENTIALS_FULL_URI` of EKS Pod Identity and Lambda SnapStart. */
  readonly fullUri?: string
  /** `AWS_CONTAINER_AUTHORIZATION_TOKEN`, or a function that reads `…_TOKEN_FILE` at each refresh. */
  readonly authorizationToken?: string | (() => Promise<string>)
  /** Timeout of one request, in milliseconds; 5,000 by default. Up to four requests are made. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
}

const KINDS: OptionKinds<ContainerCredentialsOptions> = {
  relativeUri: 'string',
  fullUri: 'string',
  authorizationToken: 'secret',
  timeoutMs: 'number',
  runtime: 'object',
  network: 'object',
}

const PROVIDER = 'aws-container'
const FACTS = { provider: PROVIDER }
const ECS_ADDRESS = 'http://169.254.170.2'
/** Plain http goes to these only: the fixed addresses of ECS and EKS, and loopback. */
const PLAIN_HOSTS =
  /^(?:169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\]|localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Returns credentials of a container or of a restored Lambda snapshot. They are renewed before they expire.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export function containerCredentials(options: ContainerCredentialsOptions): AwsCredentialSource {
  checkOptions(options, KINDS)
  const url = containerUrl(options)
  const ports = { runtime: options.runtime ?? webRuntime, network: options.network ?? webNetwork }
  const { network, runtime } = ports
  const transport = new Transport({ network, timeoutMs: options.timeoutMs ?? 5_000 })
  const ask = async (signal: AbortSignal | undefined): Promise<AwsCredentials> => {
    const headers: Record<string, string> = { accept: 'application/json' }
    const token = await tokenOf(options, { network, signal })
    if (token !== undefined) headers['authorization'] = token
    const response = await transport.send({ method: 'GET', url, headers, signal, facts: FACTS })
    if (response.status !== 200) throw refused(response, runtime.now())
    return readCredentials(parseJsonObject(response.body))
  }
  return new Refreshing(({ signal }) => retrying(() => ask(signal), network, signal), ports)
}

function readCredentials(answer: JsonObject | undefined): AwsCredentials {
  if (answer === undefined) throw invalid('the answer is not a JSON object')
  const text = (name: string): string => stringField(answer, name, FACTS)
  const credentials = {
    accessKeyId: text('AccessKeyId'),
    secretAccessKey: text('SecretAccessKey'),
    sessionToken: text('Token'),
    expiresAtMs: expiration(text('Expiration')),
  }
  return checkCredentials(credentials, FACTS)
}

function containerUrl({ relativeUri, fullUri }: ContainerCredentialsOptions): string {
  if (relativeUri !== undefined && fullUri === undefined) {
    if (!/^\/[\w\-./]*(?:\?[\w\-./=&%]*)?$/.test(relativeUri))
      throw optionError('relativeUri', 'must be a path, e.g. /v2/credentials/ID')
    return ECS_ADDRESS + relativeUri
  }
  if (fullUri === undefined || relativeUri !== undefined) {
    const got = fullUri === undefined ? 'neither' : 'both'
    throw configError(`give relativeUri or fullUri, got ${got}`)
  }
  const url = URL.canParse(fullUri) ? new URL(fullUri) : undefined
  const plain = url?.protocol === 'http:' && PLAIN_HOSTS.test(url.hostname)
  if (
    url === undefined ||
    url.username + url.password !== '' ||
    (url.protocol !== 'https:' && !plain)
  ) {
    throw optionError('fullUri', 'must be https, loopback, or the fixed address of ECS or EKS')
  }
  return fullUri
}

async function tokenOf(
  { authorizationToken: given }: ContainerCredentialsOptions,
  call: { readonly network: Network; readonly signal: AbortSignal | undefined },
): Promise<string | undefined> {
  if (given === undefined) return undefined
  const callback = { ...call, name: 'authorizationToken', provider: PROVIDER }
  const token: unknown = typeof given === 'function' ? await askCallback(given, callback) : given
  const trimmed = typeof token === 'string' ? token.trim() : ''
  if (/^[\x20-\x7e]+$/.test(trimmed)) return trimmed
  throw optionError('authorizationToken', 'must be a header value: printable ASCII')
}

function expiration(text: string): number {
  const at = Date.parse(text)
  if (!Number.isNaN(at)) return at
  throw invalid('Expiration of the answer must be a time, got other text')
}

/** A path that the agent does not know stays unknown: only what may pass is retried. */
function refused({ status, headers }: HttpResponse, nowMs: number): KmsError {
  const waits = retryAfterMs(headers, nowMs)
  const message = `the container endpoint answered ${String(status)}`
  const details = { ...FACTS, status, message, retryAfterMs: waits } as KmsErrorDetails
  if (status === 401 || status === 403) return new KmsError('ERR_KMS_UNAUTHENTICATED', details)
  if (status === 429) return new KmsError('ERR_KMS_THROTTLED', details)
  if (status < 300) return invalid(message)
  if (status === 408 || status >= 500) return new KmsError('ERR_KMS_UNAVAILABLE', details)
  return new KmsError('ERR_KMS_CONFIG', details)
}

function invalid(message: string): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { ...FACTS, message })
}
