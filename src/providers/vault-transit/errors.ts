import type { VaultErrorRow } from '../../credentials/vault/index.ts'

/**
 * Errors of transit, beside those of every path. Vault has no names for them: its words are those of
 * its source (keysutil/policy.go and builtin/logical/transit), the same in OpenBao.
 * Docs: `docs/providers/vault-transit.md`, "Errors".
 */
export const TRANSIT_ERRORS: readonly VaultErrorRow[] = [
  {
    code: 'ERR_DECRYPT_FAILED',
    says: /message authentication failed|invalid ciphertext/,
    message: 'the ciphertext is refused',
  },
  {
    code: 'ERR_KMS_KEY_DISABLED',
    says: /disallowed by policy/,
    message: 'the version is below min_decryption_version',
  },
  { code: 'ERR_KMS_KEY_DISABLED', says: /soft[- ]deleted/, message: 'the key is deleted' },
  {
    code: 'ERR_KMS_KEY_NOT_FOUND',
    says: /key not found/,
    message: 'Vault has no key of this name',
  },
  {
    code: 'ERR_KMS_KEY_NOT_FOUND',
    statuses: [404],
    message:
      'Vault did not find the key, its mount or the namespace: compare keyName, mount, namespace',
  },
  { code: 'ERR_KMS_CONFIG', says: /missing 'context'/, message: 'the key is derived' },
  {
    code: 'ERR_KMS_CONFIG',
    says: /not supported|unsupported|convergent/,
    message: 'the key is of a type that cannot do this',
  },
]
