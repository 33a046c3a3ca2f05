import { plainOptions } from '../../checks/index.ts'
import {
  type AwsCredentialsOption,
  awsEndpoint,
  type AwsSigner,
  checkRegion,
  signerOf,
  toCredentialSource,
} from '../aws/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import type { GcpCredentialSource } from './credentials.ts'
import { federation, type GcpFederationOptions } from './workload-identity.ts'

/** Options of {@link gcpWorkloadIdentityFromAws}. */
export interface GcpWorkloadIdentityFromAwsOptions extends GcpFederationOptions {
  /** Credentials of AWS. Google sees their principal. */
  readonly credentials: AwsCredentialsOption
  /** The Region of the STS that Google asks, e.g. `eu-central-1`. */
  readonly region: string
  /** Signs the request; by default the network's `awsSigner`, else aws4fetch. */
  readonly signer?: AwsSigner
}

/**
 * Returns credentials by workload identity federation from AWS. It exchanges a signed GetCallerIdentity, which Google
 * itself sends to AWS's STS, for an access token. The signature is valid only for this pool's provider.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://cloud.google.com/iam/docs/workload-identity-federation-with-other-clouds
 */
export function gcpWorkloadIdentityFromAws(
  options: GcpWorkloadIdentityFromAwsOptions,
): GcpCredentialSource {
  const { credentials, region: given, signer: ownSigner, ...rest } = plainOptions(options)
  const { audience, runtime = webRuntime, network = webNetwork } = rest
  const region = checkRegion(given)
  const signer = signerOf(ownSigner, network)
  const source = toCredentialSource(credentials, { runtime, network })
  const action = '?Action=GetCallerIdentity&Version=2011-06-15'
  const url = `${awsEndpoint('sts', region, {})}/${action}`
  const method = 'POST'
  return federation(rest, async (nowMs, { signal }) => {
    const named = { 'x-goog-cloud-target-resource': audience }
    const request = {
      method,
      url,
      headers: named,
      body: '',
      service: 'sts',
      region,
      nowMs,
    } as const
    const signed = await signer.sign(request, await source.get({ signal }))
    const headers = Object.entries({ ...signed, host: new URL(url).host })
    const call = { url, method, headers: headers.map(([key, value]) => ({ key, value })) }
    return {
      token: encodeURIComponent(JSON.stringify(call)),
      type: 'urn:ietf:params:aws:token-type:aws4_request',
    }
  })
}
