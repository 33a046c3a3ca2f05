import { configError } from '../../checks/index.ts'
import { KmsError } from '../../errors.ts'
import type { CallFacts } from '../../http/index.ts'
import { Refreshing, type RefreshPorts } from '../../runtime/index.ts'
import type { AwsCredentials, AwsCredentialsOption, AwsCredentialSource } from './credentials.ts'

/**
 * Any form of credentials as a source.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function toCredentialSource(
  option: AwsCredentialsOption,
  ports: RefreshPorts,
): AwsCredentialSource {
  if (typeof option === 'function') {
    return new Refreshing(async (options) => checkCredentials(await option(options)), ports)
  }
  if ('get' in Object(option)) return option as AwsCredentialSource
  const credentials = Object.freeze({ ...checkCredentials(option as AwsCredentials) })
  return {
    get: () => Promise.resolve(credentials),
    refused: () => undefined,
  }
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
    message: `${wrong} is missing or malformed`,
  })
}

/**
 * The credentials in environment variables: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and,
 * where it is set, `AWS_SESSION_TOKEN`.
 *
 * @param env - `process.env`, a Worker's `env`, or any object with these names
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function awsCredentialsFromEnv(env: Readonly<Record<string, unknown>>): AwsCredentials {
  const read = (name: string): string => {
    const value = env[name]
    if (typeof value === 'string' && value !== '') return value
    throw configError(`${name} is not set`)
  }
  const sessionToken = env['AWS_SESSION_TOKEN']
  return checkCredentials({
    accessKeyId: read('AWS_ACCESS_KEY_ID'),
    secretAccessKey: read('AWS_SECRET_ACCESS_KEY'),
    ...(typeof sessionToken === 'string' && sessionToken !== '' && { sessionToken }),
  })
}
