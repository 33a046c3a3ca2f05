import {
  configError,
  demandVariable,
  flagVariable,
  fromVariable,
  plainOptions,
  variableOf,
} from '../../checks/index.ts'
import { awsCredentialsOfEnv, type AwsEnvOptions } from '../../credentials/aws/index.ts'
import { checkEndpoint } from '../../http/index.ts'
import {
  type KeyManagementService,
  type KmsFromEnv,
  kmsFromEnv,
  type KmsFromEnvOptions,
} from '../../kms/index.ts'
import { createAwsKms } from './create-aws-kms.ts'
import type { AwsKmsOptions } from './options.ts'

/** Options of {@link awsKmsFromEnv}: those of `createAwsKms` that are not read from the environment. */
export interface AwsKmsFromEnvOptions
  extends KmsFromEnvOptions, Omit<Partial<AwsKmsOptions>, 'keyId' | 'network' | 'runtime'> {}

const KEY_ID = 'EDGE_KMS_AWS_KEY_ID'
const ENDPOINT = 'EDGE_KMS_AWS_ENDPOINT'

/**
 * Returns a KMS for the AWS key in `EDGE_KMS_AWS_KEY_ID`. It reads the variables that AWS's own clients read:
 * - region: `AWS_REGION` or `AWS_DEFAULT_REGION`, unless the key is an ARN
 * - endpoint: `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`
 * - credentials, one of: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` with `AWS_SESSION_TOKEN`;
 *   `AWS_WEB_IDENTITY_TOKEN_FILE` and `AWS_ROLE_ARN`; `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `…_FULL_URI`
 *
 * `EDGE_KMS_AWS_ENDPOINT` replaces AWS's endpoint, for tests; plain http is allowed to loopback alone.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the variable
 *
 * @example
 * ```ts
 * import { stackFromEnv } from 'edge-kms'
 * import { awsKmsFromEnv } from 'edge-kms/aws-kms'
 *
 * export const cipherOf = (env: object) => stackFromEnv(env, { kms: awsKmsFromEnv }).cipher
 * ```
 */
export const awsKmsFromEnv: KmsFromEnv<AwsKmsFromEnvOptions> =
  /* @__PURE__ */ kmsFromEnv<AwsKmsFromEnvOptions>([KEY_ID], make)

function make(env: object, options: AwsKmsFromEnvOptions): KeyManagementService {
  const keyId = demandVariable(env, KEY_ID, 'it names the key')
  const {
    readTextFile,
    credentials,
    network,
    runtime,
    region: given,
    ...rest
  } = plainOptions(options)
  const ports = { ...(network && { network }), ...(runtime && { runtime }) }
  const region = given ?? regionOf(env, keyId)
  const { signer } = rest
  const look: AwsEnvOptions = { ...ports, region, readTextFile, signer }
  const found = credentials ?? awsCredentialsOfEnv(env, look)
  return fromVariable(KEY_ID, keyId, () =>
    createAwsKms({ ...endpointOf(env), ...rest, ...ports, keyId, region, credentials: found }),
  )
}

/** An ARN names its Region, and where the code runs need not be where the key is. */
function regionOf(env: object, keyId: string): string {
  const [, own] = /^arn:[a-z-]+:kms:([a-z0-9-]+):/.exec(keyId) ?? []
  const region = own ?? variableOf(env, 'AWS_REGION') ?? variableOf(env, 'AWS_DEFAULT_REGION')
  if (region !== undefined) return region
  throw configError(`AWS_REGION is not set: set it, or set ${KEY_ID} to an ARN`)
}

function endpointOf(
  env: object,
): Pick<AwsKmsOptions, 'endpoint' | 'allowHttpLoopback' | 'fips' | 'dualStack'> {
  const endpoint = variableOf(env, ENDPOINT)
  if (endpoint !== undefined) {
    const rules = { allowHttpLoopback: true }
    fromVariable(ENDPOINT, endpoint, () => checkEndpoint(endpoint, rules))
    return { endpoint, ...rules }
  }
  const fips = flagVariable(env, 'AWS_USE_FIPS_ENDPOINT')
  const dualStack = flagVariable(env, 'AWS_USE_DUALSTACK_ENDPOINT')
  return { ...(fips !== undefined && { fips }), ...(dualStack !== undefined && { dualStack }) }
}
