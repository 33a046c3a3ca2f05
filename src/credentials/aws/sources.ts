import { configError, describe, wrongOption } from '../../checks/index.ts'
import { KmsError } from '../../errors.ts'
import type { CallFacts } from '../../http/index.ts'
import { askCallback, guardSource, Refreshing, type RefreshPorts } from '../../runtime/index.ts'
import type {
  AwsCredentials,
  AwsCredentialsOption,
  AwsCredentialSource,
  CredentialOptions,
} from './credentials.ts'

const PROVIDER = 'aws-credentials'

/**
 * Returns any form of credentials as a source. A call of the caller's own function or source is bounded and
 * typed.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function toCredentialSource(
  option: AwsCredentialsOption,
  ports: RefreshPorts,
): AwsCredentialSource {
  const callback = { name: 'credentials', provider: PROVIDER, network: ports.network }
  if (typeof option === 'function') {
    const ask = (signal: AbortSignal): Promise<AwsCredentials> => option({ signal })
    const load = async ({ signal }: CredentialOptions): Promise<AwsCredentials> =>
      checkCredentials(await askCallback(ask, { ...callback, signal }))
    return new Refreshing(load, ports)
  }
  if (option instanceof Refreshing) return option as AwsCredentialSource
  if (typeof option !== 'object' || option === (null as unknown))
    throw wrongOption('credentials', 'keys, a function or a source', option)
  if ('get' in option) return guardSource(option, checkCredentials, callback)
  const credentials = ownCredentials(checkCredentials(option))
  return {
    get: () => Promise.resolve(credentials),
    refused: () => undefined,
  }
}

/** A copy that reads each field: a spread would lose those that an instance of a class inherits. */
function ownCredentials(given: AwsCredentials): AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = given
  return Object.freeze({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  })
}

/**
 * Checks the form of credentials; what is wrong is said without their values.
 *
 * @param received - by whom, where a server gave them: then its answer is wrong, not the configuration
 */
export function checkCredentials(
  credentials: AwsCredentials,
  received?: CallFacts,
): AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken } = Object(credentials) as AwsCredentials
  // A line break would add a header of the attacker's choice.
  const isHeader = (value: unknown): boolean =>
    typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
  const wrong =
    (!isHeader(accessKeyId) && 'accessKeyId') ||
    ((typeof secretAccessKey !== 'string' || secretAccessKey === '') && 'secretAccessKey') ||
    (sessionToken !== undefined && !isHeader(sessionToken) && 'sessionToken')
  if (wrong === false) return credentials
  throw new KmsError(received === undefined ? 'ERR_KMS_CONFIG' : 'ERR_KMS_RESPONSE_INVALID', {
    ...received,
    message: `${wrong} is missing or malformed: it must be a text without spaces or line breaks`,
  })
}

/**
 * Returns the credentials in the environment variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, if it is
 * set, `AWS_SESSION_TOKEN`.
 *
 * @param env - `process.env`, a Worker's `env`, or any object with these names
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function awsCredentialsFromEnv(env: object): AwsCredentials {
  if (Object(env) !== env) throw wrongOption('env', 'an object with the variables', env)
  const given = env as Readonly<Record<string, unknown>>
  const read = (name: string): string => {
    const value = given[name]
    if (typeof value === 'string' && value !== '') return value
    throw configError(`${name} is not set: env must hold it as a string, got ${describe(value)}`)
  }
  const sessionToken = given['AWS_SESSION_TOKEN']
  return checkCredentials({
    accessKeyId: read('AWS_ACCESS_KEY_ID'),
    secretAccessKey: read('AWS_SECRET_ACCESS_KEY'),
    ...(typeof sessionToken === 'string' && sessionToken !== '' && { sessionToken }),
  })
}
