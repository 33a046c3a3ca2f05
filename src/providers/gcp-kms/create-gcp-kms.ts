import { GcpClient, toTokenSource } from '../../credentials/gcp/index.ts'
import { checkEndpoint, Transport } from '../../http/index.ts'
import { type KeyManagementService, refuseOthers, wrongOption } from '../../kms/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { dataKeyBytes } from './data-key-bytes.ts'
import { GcpKms } from './gcp-kms.ts'
import { locationOf } from './key-name.ts'
import { KeyVersions } from './key-versions.ts'
import { GcpKmsApi, PROVIDER } from './kms-api.ts'
import type { GcpKmsOptions } from './options.ts'

/**
 * GCP Cloud KMS by `fetch` alone. Nothing is sent before the first use.
 *
 * One call for each data key that is made (Encrypt) or unwrapped (Decrypt); the context is bound as
 * additional authenticated data, and its checksum and that of the data key go along both ways.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://cloud.google.com/kms/docs/reference/rest
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { createGcpKms } from 'edge-kms/gcp-kms'
 *
 * export function cipherOf(token: () => Promise<{ token: string }>): EnvelopeCipher {
 *   const kms = createGcpKms({
 *     keyName: 'projects/acme-prod/locations/europe-west3/keyRings/app/cryptoKeys/data',
 *     credentials: token,
 *   })
 *   return new EnvelopeCipher({ kms })
 * }
 * ```
 */
export function createGcpKms(options: GcpKmsOptions): KeyManagementService {
  const { keyName, credentials, randomBytes = 'local', usage = 'both', ...more } = options
  const { endpoint = 'https://cloudkms.googleapis.com', allowHttpLoopback = false, ...rest } = more
  const { timeoutMs, runtime = webRuntime, network = webNetwork, ...others } = rest
  refuseOthers(others)
  locationOf(keyName)
  if (!['both', 'encrypt', 'decrypt'].includes(usage)) throw wrongOption('usage')
  if (!['local', 'hsm'].includes(randomBytes)) throw wrongOption('randomBytes')
  const client = new GcpClient({
    provider: PROVIDER,
    credentials: toTokenSource(credentials, { runtime, network }),
    transport: new Transport({ network, timeoutMs }),
    runtime,
  })
  const api = new GcpKmsApi(client, checkEndpoint(endpoint, { allowHttpLoopback }), keyName)
  const newBytes = dataKeyBytes(randomBytes, api, runtime)
  return new GcpKms(api, keyName, new KeyVersions(api, network), newBytes, usage)
}
