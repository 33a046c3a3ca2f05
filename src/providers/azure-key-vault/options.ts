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
  /** Which half of the contract this instance may use; `both` by default. */
  readonly usage?: KmsCapabilities['usage']
  /** Of one request with its answer, in milliseconds. By default 2,000, or the stack's attempt timeout. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
}

/** A key of Key Vault or Managed HSM, with the policy by which it rotates itself. */
export interface AzureKeyVaultKms extends KeyManagementService {
  rotationPolicy(options: KmsSignalOptions): Promise<AzureRotationPolicy>
  /** Replaces the policy. `{}` rotates no more. Gives the policy that Azure then has. */
  setRotationPolicy(
    policy: AzureRotationPolicy,
    options: KmsSignalOptions,
  ): Promise<AzureRotationPolicy>
}
