import { optionError, plainOptions, refuseOthers } from '../../checks/index.ts'
import { KmsError, type KmsErrorDetails } from '../../errors.ts'
import { type HttpResponse, retryAfterMs, Transport } from '../../http/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'
import { Refreshing, retrying, webNetwork, webRuntime } from '../../runtime/index.ts'
import { checkOptional } from './check-optional.ts'
import type { GcpAccessToken, GcpCredentialSource } from './credentials.ts'
import { readTokenAnswer } from './oauth.ts'

/** Options of {@link gcpMetadataServer}. */
export interface GcpMetadataServerOptions {
  /** The e-mail address of one of the machine's service accounts; `default` by default. */
  readonly serviceAccount?: string
  /** `metadata.google.internal` by default; else `169.254.169.254`, or a loopback address with its port. */
  readonly host?: string
  /** Timeout of one request, in milliseconds; 5,000 by default. Up to four requests are made. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
}

const FACTS = { provider: 'gcp-metadata', operation: 'token' }
/** Plain http goes to these only. */
const HOST =
  /^(?:metadata\.google\.internal|169\.254\.169\.254|(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?)$/

/**
 * Returns credentials of the machine's service account: Compute Engine, GKE, Cloud Run, Cloud Functions.
 *
 * In a pod's first seconds GKE's metadata server answers 404 or 503: it is asked again, by at most four requests
 * within 30 seconds.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://cloud.google.com/compute/docs/access/authenticate-workloads
 */
export function gcpMetadataServer(options: GcpMetadataServerOptions = {}): GcpCredentialSource {
  const {
    serviceAccount = 'default',
    host = 'metadata.google.internal',
    ...more
  } = plainOptions(options)
  const { timeoutMs = 5_000, runtime = webRuntime, network = webNetwork, ...others } = more
  refuseOthers(others)
  checkOptional('serviceAccount', serviceAccount)
  if (!HOST.test(host))
    throw optionError(
      'host',
      'must be metadata.google.internal, 169.254.169.254 or a loopback address',
    )
  if (!/^[\w.@+-]{1,256}$/.test(serviceAccount) || /^\.+$/.test(serviceAccount))
    throw optionError('serviceAccount', 'must be an e-mail address, or default')
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/${serviceAccount}/token`
  const transport = new Transport({ network, timeoutMs })
  const ask = async (signal: AbortSignal | undefined): Promise<GcpAccessToken> => {
    const headers = { 'metadata-flavor': 'Google' }
    const request = { method: 'GET', url, headers, signal, facts: FACTS } as const
    const response = await transport.send(request)
    const nowMs = runtime.now()
    checkAnswer(response, nowMs)
    return readTokenAnswer(response, { ...FACTS, nowMs })
  }
  return new Refreshing(({ signal }) => retrying(() => ask(signal), network, signal), {
    runtime,
    network,
  })
}

/**
 * Tells a metadata server from anything else that answers to its name. The status comes first: a proxy on
 * the way answers 503 without the header.
 */
function checkAnswer({ status, headers }: HttpResponse, nowMs: number): void {
  if (status === 404 || status === 408 || status === 429 || status >= 500) {
    const waits = retryAfterMs(headers, nowMs)
    const cause =
      status === 404 ? ': the service account is unknown, or the server is not ready yet' : ''
    const message = `the metadata server answered ${String(status)}${cause}`
    const code = status === 429 ? 'ERR_KMS_THROTTLED' : 'ERR_KMS_UNAVAILABLE'
    throw new KmsError(code, { ...FACTS, status, message, retryAfterMs: waits } as KmsErrorDetails)
  }
  if (headers.get('metadata-flavor') === 'Google') return
  const message = 'the answer is not from a metadata server'
  throw new KmsError('ERR_KMS_RESPONSE_INVALID', { ...FACTS, message })
}
