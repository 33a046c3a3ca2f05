import type { KeyManagementService } from '../kms/index.ts'
import { createAws } from './aws.ts'
import { createAzure } from './azure.ts'
import { createGcp } from './gcp.ts'
import type { CheckedConfig } from './kms-config.ts'
import { createLocal } from './local.ts'
import type { Resolving } from './resolving.ts'
import { createVault } from './vault.ts'

/**
 * The KMS of a checked configuration.
 *
 * @throws KmsError `ERR_KMS_CONFIG`, under the path of what the provider refuses
 */
export function buildKms(config: CheckedConfig, resolving: Resolving): KeyManagementService {
  return resolving.within('', () => {
    switch (config.provider) {
      case 'aws-kms':
        return createAws(config, resolving)
      case 'azure-key-vault':
        return createAzure(config, resolving)
      case 'gcp-kms':
        return createGcp(config, resolving)
      case 'local':
        return createLocal(config, resolving)
      case 'vault-transit':
        return createVault(config, resolving)
    }
  })
}
