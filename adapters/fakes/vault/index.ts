export type { FakeVaultCall } from './calls.ts'
export { createFakeVault, type FakeVault } from './create-fake-vault.ts'
export type { FakeVaultFault, FakeVaultFaultKind, FakeVaultFaults } from './faults.ts'
export {
  FAKE_VAULT_DEFECTS,
  type FakeVaultAppRole,
  type FakeVaultAwsRole,
  type FakeVaultCapability,
  type FakeVaultDefect,
  type FakeVaultIssuer,
  type FakeVaultJwtRole,
  type FakeVaultKeyOptions,
  type FakeVaultKubernetesRole,
  type FakeVaultOptions,
  type FakeVaultPolicy,
  type FakeVaultToken,
  type FakeVaultTokenOptions,
} from './options.ts'
