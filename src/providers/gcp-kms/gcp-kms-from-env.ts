import { demandVariable, fromVariable, plainOptions } from '../../checks/index.ts'
import { gcpCredentialsOfEnv } from '../../credentials/gcp/index.ts'
import {
  type KeyManagementService,
  type KmsFromEnv,
  kmsFromEnv,
  type KmsFromEnvOptions,
} from '../../kms/index.ts'
import { createGcpKms } from './create-gcp-kms.ts'
import type { GcpKmsOptions } from './options.ts'

/** Options of {@link gcpKmsFromEnv}: those of `createGcpKms` that are not read from the environment. */
export interface GcpKmsFromEnvOptions
  extends KmsFromEnvOptions, Omit<Partial<GcpKmsOptions>, 'keyName' | 'network' | 'runtime'> {}

const KEY_ID = 'EDGE_KMS_GCP_KEY_ID'

/**
 * Returns a KMS for the Cloud KMS key in `EDGE_KMS_GCP_KEY_ID`, its resource name `projects/…/cryptoKeys/…`.
 * `GOOGLE_APPLICATION_CREDENTIALS` holds the credentials: a path for `readTextFile`, or the JSON itself on a platform
 * without files. Without it, the KMS asks the metadata server of the machine, or the one at `GCE_METADATA_HOST`.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the variable
 *
 * @example
 * ```ts
 * import { stackFromEnv } from 'edge-kms'
 * import { gcpKmsFromEnv } from 'edge-kms/gcp-kms'
 *
 * export const cipherOf = (env: object) => stackFromEnv(env, { kms: gcpKmsFromEnv }).cipher
 * ```
 */
export const gcpKmsFromEnv: KmsFromEnv<GcpKmsFromEnvOptions> =
  /* @__PURE__ */ kmsFromEnv<GcpKmsFromEnvOptions>([KEY_ID], make)

function make(env: object, options: GcpKmsFromEnvOptions): KeyManagementService {
  const keyName = demandVariable(env, KEY_ID, 'it names the key')
  const { readTextFile, credentials, network, runtime, ...rest } = plainOptions(options)
  const ports = { ...(network && { network }), ...(runtime && { runtime }) }
  const found = credentials ?? gcpCredentialsOfEnv(env, { ...ports, readTextFile })
  return fromVariable(KEY_ID, keyName, () =>
    createGcpKms({ ...rest, ...ports, keyName, credentials: found }),
  )
}
