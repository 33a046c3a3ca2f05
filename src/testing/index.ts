export { type ContractCase, ContractViolation } from './contract-case.ts'
export { dataKeyStoreContract } from './data-key-store-contract.ts'
export { keyValueStoreContract, type KeyValueStoreSubject } from './key-value-store-contract.ts'
export { kmsContract } from './kms-contract.ts'
export type { KmsContractSubject } from './kms-contract-cases.ts'
export {
  createFakeAws,
  FAKE_AWS_DEFECTS,
  type FakeAws,
  type FakeAwsAccessKey,
  type FakeAwsCall,
  type FakeAwsClock,
  type FakeAwsDefect,
  type FakeAwsFault,
  type FakeAwsFaultKind,
  type FakeAwsFaults,
  type FakeAwsIdentityProvider,
  type FakeAwsKey,
  type FakeAwsKeyOptions,
  type FakeAwsOptions,
  type FakeAwsPolicy,
  type FakeAwsRole,
  type FakeAwsTrust,
} from './fake-aws/index.ts'
export {
  createFakeVault,
  FAKE_VAULT_DEFECTS,
  type FakeVault,
  type FakeVaultAppRole,
  type FakeVaultAwsRole,
  type FakeVaultCall,
  type FakeVaultCapability,
  type FakeVaultDefect,
  type FakeVaultFault,
  type FakeVaultFaultKind,
  type FakeVaultFaults,
  type FakeVaultIssuer,
  type FakeVaultJwtRole,
  type FakeVaultKeyOptions,
  type FakeVaultKubernetesRole,
  type FakeVaultOptions,
  type FakeVaultPolicy,
  type FakeVaultToken,
  type FakeVaultTokenOptions,
} from './fake-vault/index.ts'
export {
  createFakeAzure,
  FAKE_AZURE_DEFECTS,
  type FakeAzure,
  type FakeAzureApplication,
  type FakeAzureCall,
  type FakeAzureCertificate,
  type FakeAzureDefect,
  type FakeAzureFault,
  type FakeAzureFaultKind,
  type FakeAzureFederation,
  type FakeAzureKeyOptions,
  type FakeAzureOptions,
} from './fake-azure/index.ts'
