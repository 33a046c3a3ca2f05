import { KmsError } from '../../errors.ts'
import { checkOptions, type OptionKinds } from '../../checks/index.ts'
import { parseJsonObject, stringField, Transport } from '../../http/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'
import { Refreshing, webNetwork, webRuntime } from '../../runtime/index.ts'
import type { AwsCredentialSource } from './credentials.ts'

import { checkCredentials } from './sources.ts'

/** Options of {@link containerCredentials}. */
export interface ContainerCredentialsOptions {
  /** `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` of ECS: a path on its fixed address. */
  readonly relativeUri?: string
  /** `AWS_CONTAINER_CREDENTIALS_FULL_URI` of EKS Pod Identity and Lambda SnapStart. */
  readonly fullUri?: string
  /** `AWS_CONTAINER_AUTHORIZATION_TOKEN`, or a function that reads `…_TOKEN_FILE` at each refresh. */
  readonly authorizationToken?: string | (() => Promise<string>)
  /** Of one request, in milliseconds; 1,000 by default. */
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
const ECS_ADDRESS = 'http://169.254.170.2'
/** Plain http goes to these only: the fixed addresses of ECS and EKS, and loopback. */
const PLAIN_HOSTS =
  /^(?:169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\]|localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/**
 * Credentials of a container or of a restored Lambda snapshot, renewed before they expire.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export function containerCredentials(options: ContainerCredentialsOptions): AwsCredentialSource {
  checkOptions(options, KINDS)
  const url = containerUrl(options)
  const ports = { runtime: options.runtime ?? webRuntime, network: options.network ?? webNetwork }
  const transport = new Transport({ network: ports.network, timeoutMs: options.timeoutMs ?? 1_000 })
  return new Refreshing(async ({ signal }) => {
    const headers: Record<string, string> = { accept: 'application/json' }
    const token = await tokenOf(options)
    if (token !== undefined) headers['authorization'] = token
    const facts = { provider: PROVIDER }
    const response = await transport.send({ method: 'GET', url, headers, signal, facts })
    const answer = parseJsonObject(response.body)
    if (response.status !== 200 || answer === undefined) throw refused(response.status)
    const text = (name: string): string => stringField(answer, name, facts)
    const credentials = {
      accessKeyId: text('AccessKeyId'),
      secretAccessKey: text('SecretAccessKey'),
      sessionToken: text('Token'),
      expiresAtMs: expiration(text('Expiration')),
    }
    return checkCredentials(credentials, facts)
  }, ports)
}

function containerUrl({ relativeUri, fullUri }: ContainerCredentialsOptions): string {
  if (relativeUri !== undefined && fullUri === undefined) {
    if (!/^\/[\w\-./]*$/.test(relativeUri)) throw config('relativeUri is not a path')
    return ECS_ADDRESS + relativeUri
  }
  if (fullUri === undefined || relativeUri !== undefined) {
    throw config('exactly one of relativeUri and fullUri must be given')
  }
  const url = URL.canParse(fullUri) ? new URL(fullUri) : undefined
  const plain = url?.protocol === 'http:' && PLAIN_HOSTS.test(url.hostname)
  if (
    url === undefined ||
    url.username + url.password !== '' ||
    (url.protocol !== 'https:' && !plain)
  ) {
    throw config('fullUri must be https, loopback, or the fixed address of ECS or EKS')
  }
  return fullUri
}

async function tokenOf({
  authorizationToken,
}: ContainerCredentialsOptions): Promise<string | undefined> {
  const token =
    typeof authorizationToken === 'function' ? await authorizationToken() : authorizationToken
  const trimmed = token?.trim()
  if (trimmed !== undefined && !/^[\x20-\x7e]+$/.test(trimmed))
    throw config('authorizationToken is not a header value')
  return trimmed
}

function expiration(text: string): number {
  const at = Date.parse(text)
  if (!Number.isNaN(at)) return at
  throw new KmsError('ERR_KMS_RESPONSE_INVALID', {
    provider: PROVIDER,
    message: 'Expiration is not a time',
  })
}

function refused(status: number): KmsError {
  const code = status === 401 || status === 403 ? 'ERR_KMS_UNAUTHENTICATED' : 'ERR_KMS_UNAVAILABLE'
  return new KmsError(code, { provider: PROVIDER, status })
}

function config(message: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message, provider: PROVIDER })
}
