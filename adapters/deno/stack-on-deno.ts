import { plainOptions } from '../../src/checks/index.ts'
import { type Stack, stackFromEnv, type StackFromEnvOptions } from '../../src/index.ts'
import { denoEnv } from './deno-env.ts'
import { denoNetwork } from './deno-network.ts'
import { denoReadTextFile } from './deno-read-text-file.ts'

/**
 * Returns the stack of `stackFromEnv` from {@link denoEnv}, with {@link denoNetwork} and {@link denoReadTextFile}
 * unless you give others: it needs only the permissions of the tools that it uses, and an error names a missing one.
 *
 * @throws KmsError `ERR_KMS_CONFIG` as `stackFromEnv`
 *
 * @example
 * ```ts
 * import { awsKmsFromEnv } from 'edge-kms/aws-kms'
 * import { stackOnDeno } from 'edge-kms/deno'
 *
 * export const openStack = () => stackOnDeno({ kms: awsKmsFromEnv })
 * ```
 */
export function stackOnDeno(options: StackFromEnvOptions): Stack {
  // `undefined` is an option that was not given.
  const { network, fetch, readTextFile = denoReadTextFile, ...others } = plainOptions(options)
  return stackFromEnv(denoEnv(), {
    ...others,
    readTextFile,
    ...(fetch === undefined ? { network: network ?? denoNetwork } : { fetch, network }),
  })
}
