import {
  configError,
  demandVariable,
  deniedVariables,
  fileVariable,
  plainOptions,
  variableOf,
} from '../../checks/index.ts'
import type { AwsSigner } from '../../ports/index.ts'
import type { RefreshPorts } from '../../runtime/index.ts'
import { assumeRoleWithWebIdentity } from './assume-role.ts'
import { containerCredentials } from './container.ts'
import type { AwsCredentialsOption } from './credentials.ts'
import { awsCredentialsFromEnv } from './sources.ts'

/** Tools for a look-up of credentials in an environment. */
export interface AwsEnvOptions extends Partial<RefreshPorts> {
  readonly region: string
  readonly readTextFile?: ((path: string) => Promise<string>) | undefined
  readonly signer?: AwsSigner | undefined
}

const ROLE_ARN = 'AWS_ROLE_ARN'
const TOKEN_FILE = 'AWS_WEB_IDENTITY_TOKEN_FILE'
const RELATIVE_URI = 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'
const FULL_URI = 'AWS_CONTAINER_CREDENTIALS_FULL_URI'
const AUTHORIZATION = 'AWS_CONTAINER_AUTHORIZATION_TOKEN'

/**
 * Returns the credentials that an environment names, in the order of AWS's own clients: access keys, a web
 * identity, a container.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the variable
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 */
export function awsCredentialsOfEnv(env: object, options: AwsEnvOptions): AwsCredentialsOption {
  const { region, readTextFile, signer, ...ports } = plainOptions(options)
  const isSet = (name: string): boolean => variableOf(env, name) !== undefined
  if (isSet('AWS_ACCESS_KEY_ID') || isSet('AWS_SECRET_ACCESS_KEY')) return accessKeys(env)
  const token = fileVariable(env, TOKEN_FILE, readTextFile)
  if (token !== undefined) {
    const roleArn = demandVariable(env, ROLE_ARN, `${TOKEN_FILE} needs it`)
    const sessionName = variableOf(env, 'AWS_ROLE_SESSION_NAME')
    const named = sessionName !== undefined && { sessionName }
    const signing = signer !== undefined && { signer }
    return assumeRoleWithWebIdentity({ region, roleArn, token, ...named, ...signing, ...ports })
  }
  if (isSet(RELATIVE_URI) || isSet(FULL_URI)) return container(env, readTextFile, ports)
  const denied = deniedVariables(env, ['AWS_ACCESS_KEY_ID', TOKEN_FILE, RELATIVE_URI, FULL_URI])
  throw configError(
    `no AWS credentials are set: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ${TOKEN_FILE} and ${ROLE_ARN}, or ${RELATIVE_URI} or ${FULL_URI}${denied}`,
  )
}

function accessKeys(env: object): AwsCredentialsOption {
  const needs = (name: string): string => demandVariable(env, name, 'access keys are a pair')
  const sessionToken = variableOf(env, 'AWS_SESSION_TOKEN')
  return awsCredentialsFromEnv({
    AWS_ACCESS_KEY_ID: needs('AWS_ACCESS_KEY_ID'),
    AWS_SECRET_ACCESS_KEY: needs('AWS_SECRET_ACCESS_KEY'),
    AWS_SESSION_TOKEN: sessionToken,
  })
}

function container(
  env: object,
  readTextFile: AwsEnvOptions['readTextFile'],
  ports: Partial<RefreshPorts>,
): AwsCredentialsOption {
  const relativeUri = variableOf(env, RELATIVE_URI)
  const fullUri = relativeUri === undefined ? variableOf(env, FULL_URI) : undefined
  const authorizationToken =
    fileVariable(env, `${AUTHORIZATION}_FILE`, readTextFile) ?? variableOf(env, AUTHORIZATION)
  return containerCredentials({
    ...(relativeUri !== undefined && { relativeUri }),
    ...(fullUri !== undefined && { fullUri }),
    ...(authorizationToken !== undefined && { authorizationToken }),
    ...ports,
  })
}
