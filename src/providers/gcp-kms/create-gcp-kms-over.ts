import { oneOf, plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import type { KeyManagementService } from '../../kms/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { dataKeyBytes } from './data-key-bytes.ts'
import { GcpKms } from './gcp-kms.ts'
import { locationOf } from './key-name.ts'
import { KeyVersions } from './key-versions.ts'
import { GcpKmsApi } from './kms-api.ts'
import type { GcpKmsKeyOptions } from './options.ts'
import type { GcpKmsTransport } from './transport.ts'

/**
 * Returns a KMS for one key of GCP Cloud KMS over your own transport, e.g. a client that you already have. It checks
 * checksums, names and sizes, whatever carries the calls. You are responsible for the transport's credentials: this
 * function does not refuse to run in a browser.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function createGcpKmsOver(
  transport: GcpKmsTransport,
  options: GcpKmsKeyOptions,
): KeyManagementService {
  const { keyName, randomBytes = 'local', usage = 'both', ...more } = plainOptions(options)
  const { runtime = webRuntime, network = webNetwork, ...others } = more
  refuseOthers(others)
  locationOf(keyName)
  oneOf('usage', usage, ['both', 'encrypt', 'decrypt'])
  oneOf('randomBytes', randomBytes, ['local', 'hsm'])
  if (typeof (transport as Partial<GcpKmsTransport> | null)?.call !== 'function')
    throw wrongOption('transport', 'an object with the method call', transport)
  const api = new GcpKmsApi(transport, keyName)
  const newBytes = dataKeyBytes(randomBytes, api, runtime)
  return new GcpKms(api, keyName, new KeyVersions(api, network), newBytes, usage)
}
