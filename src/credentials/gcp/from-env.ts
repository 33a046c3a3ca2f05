import {
  configError,
  fileVariable,
  fromVariable,
  plainOptions,
  refuseDenied,
  variableOf,
} from '../../checks/index.ts'
import { encodeUtf8 } from '../../bytes/index.ts'
import { type JsonObject, parseJsonObject } from '../../http/index.ts'
import type { FlightOptions, RefreshPorts } from '../../runtime/index.ts'
import type { GcpAccessToken, GcpCredentialSource } from './credentials.ts'
import { gcpImpersonation } from './impersonation.ts'
import { gcpMetadataServer } from './metadata-server.ts'
import { gcpServiceAccount } from './service-account.ts'
import { gcpWorkloadIdentity } from './workload-identity.ts'

/** Tools for a look-up of credentials in an environment. */
export interface GcpEnvOptions extends Partial<RefreshPorts> {
  readonly readTextFile?: ((path: string) => Promise<string>) | undefined
}

const NAME = 'GOOGLE_APPLICATION_CREDENTIALS'

/**
 * Returns the credentials that an environment names: the JSON in `GOOGLE_APPLICATION_CREDENTIALS`, or that of the
 * file which it names; without it the metadata server of the machine, at `GCE_METADATA_HOST` where that is set.
 *
 * The JSON is the key of a service account, or a workload identity federation whose token is in a file.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the variable; for a file at the first use
 * @see https://cloud.google.com/docs/authentication/application-default-credentials
 */
export function gcpCredentialsOfEnv(env: object, options: GcpEnvOptions): GcpCredentialSource {
  const { readTextFile, ...ports } = plainOptions(options)
  const value = variableOf(env, NAME)
  if (value === undefined) {
    refuseDenied(env, [NAME], 'the metadata server is asked only if no credentials are set')
    const host = variableOf(env, 'GCE_METADATA_HOST')
    const make = (): GcpCredentialSource =>
      gcpMetadataServer({ ...ports, ...(host !== undefined && { host }) })
    return host === undefined ? make() : fromVariable('GCE_METADATA_HOST', host, make)
  }
  if (value.startsWith('{')) return fromVariable(NAME, value, () => sourceOf(value, options))
  const read = fileVariable(env, NAME, readTextFile)
  if (read === undefined) throw configError(`${NAME} is not set`)
  return new LaterSource(async () => {
    const text = await read()
    return fromVariable(NAME, text, () => sourceOf(text, options))
  })
}

/** Credentials of a file that can only be read once they are needed. */
class LaterSource implements GcpCredentialSource {
  readonly #make: () => Promise<GcpCredentialSource>
  #source: GcpCredentialSource | undefined

  constructor(make: () => Promise<GcpCredentialSource>) {
    this.#make = make
  }

  async get(options: FlightOptions): Promise<GcpAccessToken> {
    // Two requests may both read: neither waits for what another one began.
    this.#source ??= await this.#make()
    return this.#source.get(options)
  }

  refused(token: GcpAccessToken, serverTimeMs: number): void {
    this.#source?.refused(token, serverTimeMs)
  }
}

function sourceOf(text: string, options: GcpEnvOptions): GcpCredentialSource {
  const { readTextFile, ...ports } = plainOptions(options)
  const json = parseJsonObject(encodeUtf8(text))
  if (json === undefined) throw configError('the credentials must be a JSON object, got other text')
  switch (json['type']) {
    case 'service_account':
      return gcpServiceAccount({ key: text, ...ports })
    case 'external_account':
      return federated(json, readTextFile, ports)
    default:
      throw configError(
        'type must be service_account or external_account: make such a file, or give credentials in code',
      )
  }
}

const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const TOKEN_PATH = '/v1/token'

/** Refuses a kind of token that we do not send, and returns where tokens are exchanged. */
function endpointOf(json: JsonObject): { readonly endpoint?: string } {
  const { subject_token_type: kind = JWT, token_url: url } = json
  if (kind !== JWT) throw configError(`subject_token_type must be ${JWT}`)
  if (url === undefined) return {}
  if (typeof url === 'string' && url.endsWith(TOKEN_PATH))
    return { endpoint: url.slice(0, -TOKEN_PATH.length) }
  throw configError(`token_url must end in ${TOKEN_PATH}`)
}

function federated(
  json: JsonObject,
  readTextFile: GcpEnvOptions['readTextFile'],
  ports: Partial<RefreshPorts>,
): GcpCredentialSource {
  const { audience, credential_source: place, service_account_impersonation_url: become } = json
  const { file, format } = Object(place) as JsonObject
  const { type = 'text', subject_token_field_name: field } = Object(format) as JsonObject
  if (typeof file !== 'string' || (type !== 'text' && typeof field !== 'string'))
    throw configError(
      'credential_source must have the path of a file that holds the token: other sources are unsupported',
    )
  if (readTextFile === undefined)
    throw configError('credential_source names a file, and readTextFile is not set: give it')
  const token = async (): Promise<string> => {
    const text = await readTextFile(file)
    if (type === 'text') return text
    const found = parseJsonObject(encodeUtf8(text))?.[field as string]
    if (typeof found === 'string') return found
    throw configError('the file of credential_source must be JSON with the field that it names')
  }
  const options = { audience: audience as string, token, ...endpointOf(json), ...ports }
  const federation = gcpWorkloadIdentity(options)
  if (become === undefined) return federation
  const url = typeof become === 'string' ? become : ''
  const [, account] = /\/serviceAccounts\/([^/:]+):generateAccessToken$/.exec(url) ?? []
  if (account === undefined)
    throw configError('service_account_impersonation_url must end in :generateAccessToken')
  return gcpImpersonation({ serviceAccount: account, credentials: federation, ...ports })
}
