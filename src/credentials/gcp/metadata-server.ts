import { configError, refuseOthers } from '../../checks/index.ts'
import { KmsError } from '../../errors.ts'
import { Transport } from '../../http/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'
import { Refreshing, webNetwork, webRuntime } from '../../runtime/index.ts'
import { checkOptional } from './check-optional.ts'
import type { GcpCredentialSource } from './credentials.ts'
import { readTokenAnswer } from './oauth.ts'

/** Options of {@link gcpMetadataServer}. */
export interface GcpMetadataServerOptions {
  /** The e-mail address of one of the machine's service accounts; `default` by default. */
  readonly serviceAccount?: string
  /** `metadata.google.internal` by default; else `169.254.169.254`, or a loopback address with its port. */
  readonly host?: string
  /** Of one request, in milliseconds; 1,000 by default. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
}

const PROVIDER = 'gcp-metadata'
/** Plain http goes to these only. */
const HOST =
  /^(?:metadata\.google\.internal|169\.254\.169\.254|(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?)$/

/**
 * The service account of the machine: Compute Engine, GKE, Cloud Run, Cloud Functions.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://cloud.google.com/compute/docs/access/authenticate-workloads
 */
export function gcpMetadataServer(options: GcpMetadataServerOptions = {}): GcpCredentialSource {
  const { serviceAccount = 'default', host = 'metadata.google.internal', ...more } = options
  const { timeoutMs = 1_000, runtime = webRuntime, network = webNetwork, ...others } = more
  refuseOthers(others)
  checkOptional('serviceAccount', serviceAccount)
  if (!HOST.test(host)) throw configError('host is no metadata server')
  if (!/^[\w.@+-]{1,256}$/.test(serviceAccount) || /^\.+$/.test(serviceAccount))
    throw configError('serviceAccount is not valid')
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/${serviceAccount}/token`
  const transport = new Transport({ network, timeoutMs })
  return new Refreshing(
    async ({ signal }) => {
      const headers = { 'metadata-flavor': 'Google' }
      const response = await transport.send({ method: 'GET', url, headers, signal })
      // Whatever else answers to this name does not say so.
      if (response.headers.get('metadata-flavor') !== 'Google') {
        const message = 'the answer is not from a metadata server'
        throw new KmsError('ERR_KMS_RESPONSE_INVALID', { provider: PROVIDER, message })
      }
      if (response.status === 404) throw configError('the machine has no such service account')
      const facts = { provider: PROVIDER, operation: 'token', nowMs: runtime.now() }
      return readTokenAnswer(response, facts)
    },
    { runtime, network },
  )
}
