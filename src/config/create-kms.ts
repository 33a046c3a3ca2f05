import * as z from 'zod/mini'
import { type KeyManagementService, refuseOthers } from '../kms/index.ts'
import { createAws } from './aws.ts'
import { createAzure } from './azure.ts'
import { createGcp } from './gcp.ts'
import { type CheckedConfig, type KmsConfig, kmsConfigSchema } from './kms-config.ts'
import { createLocal } from './local.ts'
import { problemOf } from './problems.ts'
import type { ConfigResolver } from './references.ts'
import { type ConfigPorts, Resolving } from './resolving.ts'
import { createVault } from './vault.ts'

/** What a configuration cannot hold. */
export interface CreateKmsOptions extends ConfigPorts {
  /** Resolves `{ "env": … }` and `{ "file": … }`; without it a reference is refused. */
  readonly resolve?: ConfigResolver
}

/**
 * A KMS from plain JSON: `provider` says whose, the rest are the options of its `create…Kms`, and
 * `credentials` (of Vault `auth`) say by `type` which. Nothing is sent before the first use.
 *
 * @throws KmsError `ERR_KMS_CONFIG` that names the path of what is wrong and the nearest known name,
 * and repeats no value
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
  const { resolve, runtime, network, ...others } = options
  refuseOthers(others)
  const checked = checkKmsConfig(config)
  const ports = {
    ...(runtime !== undefined && { runtime }),
    ...(network !== undefined && { network }),
  }
  const resolving = new Resolving(resolve, ports)
  switch (checked.provider) {
    case 'aws-kms':
      return createAws(checked, resolving)
    case 'azure-key-vault':
      return createAzure(checked, resolving)
    case 'gcp-kms':
      return createGcp(checked, resolving)
    case 'local':
      return createLocal(checked, resolving)
    case 'vault-transit':
      return createVault(checked, resolving)
  }
}

/** Checks the form of a configuration, without resolving anything. @throws KmsError `ERR_KMS_CONFIG` */
function checkKmsConfig(config: unknown): CheckedConfig {
  const result = z.safeParse(kmsConfigSchema, config)
  if (result.success) return result.data
  throw problemOf(result.error, kmsConfigSchema, config)
}
