import { GcpClient, toTokenSource } from '../../credentials/gcp/index.ts'
import { checkFlags, plainOptions, refuseBrowser } from '../../checks/index.ts'
import { checkEndpoint, Transport } from '../../http/index.ts'
import type { KeyManagementService } from '../../kms/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { createGcpKmsOver } from './create-gcp-kms-over.ts'
import { PROVIDER } from './errors.ts'
import type { GcpKmsOptions } from './options.ts'
import { RestTransport } from './rest-transport.ts'

/**
 * Returns a KMS for one key of GCP Cloud KMS, by `fetch` alone. It sends nothing before the first use.
 *
 * Each data key that is made (Encrypt) or unwrapped (Decrypt) costs one call. The context is bound as additional
 * authenticated data. Checksums protect the context and the data key on the way to Google and back.
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
  const {
    credentials,
    endpoint = 'https://cloudkms.googleapis.com',
    ...more
  } = plainOptions(options)
  const { allowHttpLoopback, timeoutMs, dangerouslyAllowBrowser, ...rest } = more
  checkFlags({ allowHttpLoopback })
  refuseBrowser(dangerouslyAllowBrowser)
  const { runtime = webRuntime, network = webNetwork } = rest
  const client = new GcpClient({
    provider: PROVIDER,
    credentials: toTokenSource(credentials, { runtime, network }),
    transport: new Transport({ network, timeoutMs }),
    runtime,
  })
  const place = checkEndpoint(endpoint, { allowHttpLoopback })
  return createGcpKmsOver(new RestTransport(client, place), rest)
}
