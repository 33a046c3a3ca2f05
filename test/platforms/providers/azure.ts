import type { Library, RuntimeCase } from '../../runtime/suite.ts'
import { cipherCases, contractOf, type Kms } from './shared.ts'

/** An application of Microsoft Entra, and RSA keys of a vault for these cases alone. */
export interface AzureTarget {
  readonly name: string
  readonly tenantId: string
  readonly clientId: string
  readonly clientSecret: string
  /** `https://<vault>.vault.azure.net/keys/<name>`, without a version. */
  readonly keyId: string
  readonly otherKeyId: string
}

/** Returns the cases of `azure-key-vault` against a vault. */
export function azureCases(library: Library, target: AzureTarget): readonly RuntimeCase[] {
  const { azure, testing } = library
  const { keyId, otherKeyId, tenantId, clientId, clientSecret } = target
  const credentials = azure.azureClientSecret({ tenantId, clientId, clientSecret })
  const create = (id: string): Kms =>
    azure.createAzureKeyVaultKms({ keyId: id, credentials, timeoutMs: 10_000 })
  const ours = (): Kms => create(keyId)
  const subject = { create: ours, createOther: () => create(otherKeyId) }
  return [
    ...contractOf(testing.kmsContract(ours().capabilities, subject), 'contract'),
    ...cipherCases(library, ours),
  ]
}
