import { decodeUtf8 } from '../../bytes/index.ts'
import { KmsError } from '../../errors.ts'
import type { OptionKinds } from '../../checks/index.ts'
import { type HttpResponse, type JsonObject, parseJsonObject, Transport } from '../../http/index.ts'
import type { AwsSigner, Network, Runtime } from '../../ports/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { AwsClient } from './client.ts'
import type { AwsCredentials, AwsCredentialSource, CredentialOptions } from './credentials.ts'
import { type AwsErrorRow, awsFailure } from './errors.ts'
import { awsEndpoint, checkRegion, type EndpointOptions } from './partitions.ts'
import { signerOf } from './signer.ts'
import { checkCredentials } from './sources.ts'

/** Endpoint and timeout of STS. */
export interface StsOptions extends EndpointOptions {
  readonly region: string
  /** Timeout of one request, in milliseconds; 2,000 by default. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
  /** Signs the requests; by default the network's `awsSigner`, else aws4fetch. */
  readonly signer?: AwsSigner
}

/** For those who take these options and more. */
export const STS_KINDS: OptionKinds<StsOptions> = {
  region: 'string',
  endpoint: 'string',
  fips: 'boolean',
  dualStack: 'boolean',
  allowHttpLoopback: 'boolean',
  timeoutMs: 'number',
  runtime: 'object',
  network: 'object',
  signer: 'object',
}

/** Parameters of one action, without Action and Version. */
export type StsParameters = Readonly<Record<string, string>>

const PROVIDER = 'aws-sts'

/** Errors of STS (API Reference, "Errors" of each action), beside those of every service. */
export const STS_ERRORS: readonly AwsErrorRow[] = [
  { code: 'ERR_KMS_UNAUTHENTICATED', names: 'IDPRejectedClaim InvalidIdentityToken' },
  { code: 'ERR_KMS_UNAVAILABLE', names: 'IDPCommunicationError' },
  {
    code: 'ERR_KMS_CONFIG',
    names: 'MalformedPolicyDocument PackedPolicyTooLarge RegionDisabled',
  },
]

/** Calls to STS that answer with temporary credentials. */
export class StsClient {
  readonly #transport: Transport
  readonly #endpoint: string
  readonly #runtime: Runtime
  /** One for all refreshes: it knows a clock that was corrected. */
  readonly #client: AwsClient | undefined

  /**
   * @param credentials - for the actions that are signed
   * @throws KmsError `ERR_KMS_CONFIG`
   */
  constructor(options: StsOptions, credentials?: AwsCredentialSource) {
    const region = checkRegion(options.region)
    const { runtime = webRuntime, network = webNetwork, timeoutMs, signer } = options
    this.#endpoint = awsEndpoint('sts', region, options)
    this.#runtime = runtime
    this.#transport = new Transport({ network, timeoutMs })
    if (credentials === undefined) return
    this.#client = new AwsClient({
      provider: PROVIDER,
      service: 'sts',
      region,
      endpoint: this.#endpoint,
      credentials,
      transport: this.#transport,
      runtime,
      signer: signerOf(signer, network),
      errors: STS_ERRORS,
    })
  }

  /** A signed action, e.g. AssumeRole. */
  async signed(
    action: string,
    parameters: StsParameters,
    options: CredentialOptions,
  ): Promise<AwsCredentials> {
    if (this.#client === undefined) throw new TypeError('a signed action needs credentials')
    const response = await this.#client.call({
      ...options,
      operation: action,
      headers: HEADERS,
      body: form(action, parameters),
    })
    return readCredentials(response, action)
  }

  /** An action that is proven by a token in its parameters and not signed. */
  async unsigned(
    action: string,
    parameters: StsParameters,
    { signal }: CredentialOptions,
  ): Promise<AwsCredentials> {
    const response = await this.#transport.send({
      method: 'POST',
      url: `${this.#endpoint}/`,
      headers: HEADERS,
      body: form(action, parameters),
      signal,
      facts: { provider: PROVIDER, operation: action },
    })
    if (response.status === 200) return readCredentials(response, action)
    const facts = { provider: PROVIDER, operation: action, nowMs: this.#runtime.now() }
    throw awsFailure(response, STS_ERRORS, facts).error
  }
}

const HEADERS = {
  accept: 'application/json',
  'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
}

function form(action: string, parameters: StsParameters): string {
  return new URLSearchParams({ Action: action, Version: '2011-06-15', ...parameters }).toString()
}

/** The answer is JSON where the server honours Accept, else XML. */
function readCredentials(response: HttpResponse, action: string): AwsCredentials {
  const fields = jsonFields(response, action) ?? xmlFields(response)
  const expires = fields('Expiration') ?? ''
  const expiresAtMs = /^[\d.]+$/.test(expires) ? Number(expires) * 1_000 : Date.parse(expires)
  const accessKeyId = fields('AccessKeyId')
  const secretAccessKey = fields('SecretAccessKey')
  const sessionToken = fields('SessionToken')
  if (
    accessKeyId === undefined ||
    secretAccessKey === undefined ||
    sessionToken === undefined ||
    Number.isNaN(expiresAtMs)
  ) {
    throw new KmsError('ERR_KMS_RESPONSE_INVALID', {
      provider: PROVIDER,
      operation: action,
      message: 'the answer holds no credentials',
    })
  }
  const facts = { provider: PROVIDER, operation: action }
  return checkCredentials({ accessKeyId, secretAccessKey, sessionToken, expiresAtMs }, facts)
}

type Fields = (name: string) => string | undefined

function jsonFields(response: HttpResponse, action: string): Fields | undefined {
  const path = [`${action}Response`, `${action}Result`, 'Credentials']
  let value: unknown = parseJsonObject(response.body)
  if (value === undefined) return undefined
  for (const name of path) value = (value as JsonObject | undefined)?.[name]
  const credentials = value as JsonObject | undefined
  return (name) => {
    const field = credentials?.[name]
    return typeof field === 'string' ? field : typeof field === 'number' ? String(field) : undefined
  }
}

/** The first element of each name inside Credentials: STS escapes what users put into a session. */
function xmlFields(response: HttpResponse): Fields {
  const text = decodeUtf8(response.body) ?? ''
  const block = /<Credentials>([\s\S]{0,16384}?)<\/Credentials>/.exec(text)?.[1] ?? ''
  return (name) => new RegExp(`<${name}>([^<>&\\s]{1,8192})</${name}>`).exec(block)?.[1]
}
