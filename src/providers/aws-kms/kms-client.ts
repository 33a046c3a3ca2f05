import { checkFlags, refuseBrowser, refuseOthers } from '../../checks/index.ts'
import {
  AwsClient,
  awsEndpoint,
  signerOf,
  toCredentialSource,
} from '../../credentials/aws/index.ts'
import { Transport } from '../../http/index.ts'
import { webNetwork, webRuntime } from '../../runtime/index.ts'
import { AWS_KMS_ERRORS } from './errors.ts'
import { PROVIDER } from './kms-call.ts'
import type { AwsKmsOptions } from './options.ts'

/** Options of a client of AWS KMS: its place, its credentials and its ports. */
export type KmsClientOptions = Pick<
  AwsKmsOptions,
  | 'credentials'
  | 'endpoint'
  | 'fips'
  | 'dualStack'
  | 'allowHttpLoopback'
  | 'dangerouslyAllowBrowser'
  | 'timeoutMs'
  | 'runtime'
  | 'network'
  | 'signer'
>

/**
 * Returns a client of AWS KMS. It refuses options that it does not know, so take out your own first.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function kmsClient(region: string, options: KmsClientOptions): AwsClient {
  const { credentials, timeoutMs, dangerouslyAllowBrowser, ...rest } = options
  const { runtime = webRuntime, network = webNetwork, signer, ...place } = rest
  const { endpoint, fips, dualStack, allowHttpLoopback, ...others } = place
  refuseOthers(others)
  refuseBrowser(dangerouslyAllowBrowser)
  checkFlags({ fips, dualStack, allowHttpLoopback })
  return new AwsClient({
    provider: PROVIDER,
    service: 'kms',
    region,
    endpoint: awsEndpoint('kms', region, { endpoint, fips, dualStack, allowHttpLoopback }), // W3.24: from the configuration alone
    credentials: toCredentialSource(credentials, { runtime, network }),
    transport: new Transport({ network, timeoutMs }),
    runtime,
    signer: signerOf(signer, network),
    errors: AWS_KMS_ERRORS,
  })
}
