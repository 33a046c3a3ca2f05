import type { Library, RuntimeCase } from '../../runtime/suite.ts'
import { awsCases, type AwsTarget } from './aws.ts'
import { azureCases, type AzureTarget } from './azure.ts'
import { gcpCases, type GcpTarget } from './gcp.ts'
import { vaultCases, type VaultTarget } from './vault.ts'

/** One provider's suite, as a request that can be sent to any runtime as JSON. */
export type ProviderRequest =
  | { readonly vendor: 'aws'; readonly target: AwsTarget }
  | { readonly vendor: 'azure'; readonly target: AzureTarget }
  | { readonly vendor: 'gcp'; readonly target: GcpTarget }
  | { readonly vendor: 'vault'; readonly target: VaultTarget }

/** Returns the suite of a provider against a server that is up: the contract, and cases of its own. */
export function providerCases(library: Library, request: ProviderRequest): readonly RuntimeCase[] {
  switch (request.vendor) {
    case 'aws':
      return awsCases(library, request.target)
    case 'azure':
      return azureCases(library, request.target)
    case 'gcp':
      return gcpCases(library, request.target)
    case 'vault':
      return vaultCases(library, request.target)
  }
}
