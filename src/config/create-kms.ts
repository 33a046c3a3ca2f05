import { plainOptions, refuseOthers } from '../checks/index.ts'
import type { KeyManagementService } from '../kms/index.ts'

import { checkConfig } from './check-config.ts'
import { buildKms, type KmsConfig, kmsConfigSchema } from './kms-config.ts'
import type { ConfigResolver } from './references.ts'
import { type ConfigPorts, Resolving } from './resolving.ts'

/** Ports and objects that JSON cannot hold. */
export interface CreateKmsOptions extends ConfigPorts {
  /** Resolves `{ "env": … }` and `{ "file": … }`; without it a reference is refused. */
  readonly resolve?: ConfigResolver
}

/**
 * Returns a KMS from plain JSON. `provider` selects the vendor; the other members are the options of its
 * `create…Kms`. `credentials` (for Vault `auth`) have a `type` that selects their kind. It sends nothing before the
 * first use.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the path of the wrong value and the nearest known name, and never
 * repeats a value
 *
 * @example
 * ```ts
 * import { EnvelopeCipher } from 'edge-kms'
 * import { createKms, type KmsConfig } from 'edge-kms/config'
 *
 * export function cipherOf(env: Record<string, string>): EnvelopeCipher {
 *   const config: KmsConfig = {
 *     provider: 'azure-key-vault',
 *     keyId: 'https://acme.vault.azure.net/keys/app',
 *     credentials: {
 *       type: 'client-secret',
 *       tenantId: '72f0a1c4-0000-4000-8000-000000000001',
 *       clientId: '72f0a1c4-0000-4000-8000-000000000002',
 *       clientSecret: { env: 'AZURE_CLIENT_SECRET' },
 *     },
 *   }
 *   const kms = createKms(config, {
 *     resolve: (reference) => ('env' in reference ? env[reference.env] : undefined),
 *   })
 *   return new EnvelopeCipher({ kms })
 * }
 * ```
 */
export function createKms(config: KmsConfig, options: CreateKmsOptions = {}): KeyManagementService {
  const { resolve, runtime, network, signer, googleCloudKms, ...others } = plainOptions(options)
  refuseOthers(others)
  const resolving = new Resolving(resolve, { runtime, network, signer, googleCloudKms })
  return buildKms(checkConfig(kmsConfigSchema, config), resolving)
}
