import type { BrowserRule } from '../../checks/index.ts'
import type { AzureCredentialsOption } from '../../credentials/azure/index.ts'
import type { KeyManagementService, KmsCapabilities, KmsSignalOptions } from '../../kms/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'
import type { KeyPlace } from './key-id.ts'
import type { AzureWrapAlgorithm } from './keys-api.ts'
import type { AzureRotationPolicy } from './rotation-policy.ts'

/** Options of `createAzureKeyVaultKms`. */
export interface AzureKeyVaultOptions extends KeyPlace, BrowserRule {
  readonly credentials: AzureCredentialsOption
  /**
   * `RSA-OAEP-256` by default, for RSA keys of a vault or a Managed HSM; `A256KW` for a 256-bit
   * oct-HSM key of a Managed HSM. RSA1_5 and RSA-OAEP (OAEP with SHA-1) are refused.
   */
  readonly algorithm?: AzureWrapAlgorithm
  /**
   * Whether this instance may make and wrap data keys (`encrypt`), unwrap them (`decrypt`), or both; `both` by
   * default. A rewrap needs `both`.
   */
  readonly usage?: KmsCapabilities['usage']
  /** Timeout of one request with its answer, in milliseconds: by default 2,000, or the stack's attempt timeout. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
}

/** A KMS over Key Vault or Managed HSM that also reads and replaces the key's rotation policy. */
export interface AzureKeyVaultKms extends KeyManagementService {
  rotationPolicy(options?: KmsSignalOptions): Promise<AzureRotationPolicy>
  /** Replaces the rotation policy and returns the one that Azure then has. `{}` turns rotation by Azure off. */
  setRotationPolicy(
    policy: AzureRotationPolicy,
    options?: KmsSignalOptions,
  ): Promise<AzureRotationPolicy>
}
