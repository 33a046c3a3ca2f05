import { GcpClient, toTokenSource } from '../../credentials/gcp/index.ts'
import { checkFlags, plainOptions, refuseBrowser, refuseOthers } from '../../checks/index.ts'
import { checkEndpoint, Transport } from '../../http/index.ts'
import type { KeyLifecycle } from '../../kms/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { PROVIDER } from './errors.ts'
import { GcpKeyLifecycle } from './gcp-key-lifecycle.ts'
import { locationOf } from './key-name.ts'
import type { GcpKmsOptions } from './options.ts'

/** Options of {@link createGcpKeyLifecycle}. */
export type GcpKeyLifecycleOptions = Omit<GcpKmsOptions, 'randomBytes' | 'usage'>

/**
 * Returns a lifecycle of the versions of one key of GCP Cloud KMS. Give it its own credentials, with
 * `cloudkms.cryptoKeyVersions.get`, `.update`, `.destroy` and `.restore`. Your service's own credentials do not need
 * the last three.
 *
 * A disabled version can still be used for a minute, in exceptional cases for hours. Google destroys a scheduled
 * version after the key's `destroyScheduledDuration`, 30 days by default.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 *
 * @example
 * ```ts
 * import { createGcpKeyLifecycle, type GcpCredentialsOption } from 'edge-kms/gcp-kms'
 *
 * export const lifecycleOf = (keyName: string, credentials: GcpCredentialsOption) =>
 *   createGcpKeyLifecycle({ keyName, credentials })
 * ```
 */
export function createGcpKeyLifecycle(options: GcpKeyLifecycleOptions): KeyLifecycle {
  const {
    keyName,
    credentials,
    endpoint = 'https://cloudkms.googleapis.com',
    ...more
  } = plainOptions(options)
  const { allowHttpLoopback, timeoutMs, dangerouslyAllowBrowser, ...rest } = more
  const { runtime = webRuntime, network = webNetwork, ...others } = rest
  refuseOthers(others)
  locationOf(keyName) // for its check
  checkFlags({ allowHttpLoopback })
  refuseBrowser(dangerouslyAllowBrowser)
  const client = new GcpClient({
    provider: PROVIDER,
    credentials: toTokenSource(credentials, { runtime, network }),
    transport: new Transport({ network, timeoutMs }),
    runtime,
  })
  const place = checkEndpoint(endpoint, { allowHttpLoopback })
  return new GcpKeyLifecycle(client, `${place}/v1/`, keyName)
}
