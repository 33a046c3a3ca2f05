import { checkOptions, integer, optionError, type OptionKinds } from '../../checks/index.ts'
import {
  askForJwt,
  Refreshing,
  type RefreshPorts,
  webNetwork,
  webRuntime,
} from '../../runtime/index.ts'
import type { AwsCredentialsOption, AwsCredentialSource } from './credentials.ts'

import { toCredentialSource } from './sources.ts'
import { STS_KINDS, StsClient, type StsOptions } from './sts.ts'

/** Options that both ways to assume a role have. */
interface RoleOptions extends StsOptions {
  readonly roleArn: string
  /** The name of the session in CloudTrail: 2 to 64 of `[\w+=,.@-]`; `edge-kms` by default. */
  readonly sessionName?: string
  /** Life of the credentials: 900 to 43,200 seconds; AWS's default of 3,600. Chained roles: at most 3,600. */
  readonly durationSeconds?: number
}

/** Options of {@link assumeRole}. */
export interface AssumeRoleOptions extends RoleOptions {
  /** Credentials that may assume the role. To chain roles, pass another assumed role. */
  readonly credentials: AwsCredentialsOption
  readonly externalId?: string
  readonly sourceIdentity?: string
  /** Session tags. */
  readonly tags?: Readonly<Record<string, string>>
}

/** Options of {@link assumeRoleWithWebIdentity}. */
export interface WebIdentityOptions extends RoleOptions {
  /** Returns an OIDC token; called again at each refresh. */
  readonly token: () => Promise<string>
}

const ROLE_KINDS: OptionKinds<RoleOptions> = /* @__PURE__ */ (() => ({
  ...STS_KINDS,
  roleArn: 'string',
  sessionName: 'string',
  durationSeconds: 'number',
}))()
const ASSUME_KINDS: OptionKinds<AssumeRoleOptions> = /* @__PURE__ */ (() => ({
  ...ROLE_KINDS,
  credentials: 'object',
  externalId: 'string',
  sourceIdentity: 'string',
  tags: 'map',
}))()
const IDENTITY_KINDS: OptionKinds<WebIdentityOptions> = /* @__PURE__ */ (() => ({
  ...ROLE_KINDS,
  token: 'function',
}))()

/**
 * Returns credentials of a role, by STS AssumeRole. They are renewed before they expire.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 *
 * @example
 * ```ts
 * import { assumeRole, createAwsKms } from 'edge-kms/aws-kms'
 *
 * export function kmsOf(env: { ACCESS_KEY_ID: string; SECRET_ACCESS_KEY: string }) {
 *   const region = 'eu-central-1'
 *   const credentials = assumeRole({
 *     region,
 *     roleArn: 'arn:aws:iam::111122223333:role/encrypt-only',
 *     credentials: { accessKeyId: env.ACCESS_KEY_ID, secretAccessKey: env.SECRET_ACCESS_KEY },
 *   })
 *   return createAwsKms({ keyId: 'alias/app', region, credentials })
 * }
 * ```
 */
export function assumeRole(options: AssumeRoleOptions): AwsCredentialSource {
  checkOptions(options, ASSUME_KINDS)
  const ports = portsOf(options)
  const sts = new StsClient(options, toCredentialSource(options.credentials, ports))
  const parameters: Record<string, string> = roleParameters(options)
  if (options.externalId !== undefined) parameters['ExternalId'] = options.externalId
  if (options.sourceIdentity !== undefined) parameters['SourceIdentity'] = options.sourceIdentity
  for (const [i, [key, value]] of Object.entries(options.tags ?? {}).entries()) {
    parameters[`Tags.member.${String(i + 1)}.Key`] = key
    parameters[`Tags.member.${String(i + 1)}.Value`] = value
  }
  return new Refreshing((call) => sts.signed('AssumeRole', parameters, call), ports)
}

/**
 * Returns credentials of a role for the holder of an OIDC token, without any stored AWS secret.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 */
export function assumeRoleWithWebIdentity(options: WebIdentityOptions): AwsCredentialSource {
  checkOptions(options, IDENTITY_KINDS)
  const sts = new StsClient(options)
  const parameters = roleParameters(options)
  const ports = portsOf(options)
  const callback = { name: 'token', provider: 'aws-sts', network: ports.network }
  return new Refreshing(async (call) => {
    const token = await askForJwt(() => options.token(), { ...callback, signal: call.signal })
    const proven = { ...parameters, WebIdentityToken: token }
    return sts.unsigned('AssumeRoleWithWebIdentity', proven, call)
  }, ports)
}

function portsOf(options: StsOptions): RefreshPorts {
  return { runtime: options.runtime ?? webRuntime, network: options.network ?? webNetwork }
}

function roleParameters(options: RoleOptions): Record<string, string> {
  const { roleArn, sessionName = 'edge-kms', durationSeconds } = options
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]{1,576}$/.test(roleArn))
    throw optionError(
      'roleArn',
      'must be the ARN of an IAM role, e.g. arn:aws:iam::111122223333:role/app',
    )
  if (!/^[\w+=,.@-]{2,64}$/.test(sessionName))
    throw optionError('sessionName', 'must be 2 to 64 letters, digits or _+=,.@-')
  const parameters: Record<string, string> = { RoleArn: roleArn, RoleSessionName: sessionName }
  if (durationSeconds === undefined) return parameters
  const seconds = integer('durationSeconds', durationSeconds, 900, 43_200)
  parameters['DurationSeconds'] = String(seconds)
  return parameters
}
