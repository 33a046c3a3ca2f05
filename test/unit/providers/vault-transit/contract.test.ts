import { describe } from 'vitest'
import { composeKms, type KeyManagementService, MultiKms } from '../../../../src/index.ts'
import {
  createVaultTransitKms,
  vaultToken,
  type VaultTransitKmsOptions,
} from '../../../../src/providers/vault-transit/index.ts'
import { createFakeVault, kmsContract } from '../../../../adapters/fakes/index.ts'
import { runContract } from '../../../support/contract.ts'

const namespace = 'team/a'
const vault = createFakeVault({
  mounts: ['transit', 'crypto/transit-2'],
  namespaces: [namespace],
  keys: [
    { name: 'app' },
    { name: 'derived', derived: true },
    { name: 'small', type: 'aes128-gcm96' },
    { name: 'other' },
    { name: 'other-derived', derived: true },
    { name: 'app', mount: 'crypto/transit-2' },
    { name: 'app', namespace },
    { name: 'other', namespace },
  ],
})
const { endpoint, network, token } = vault
const common = { endpoint, network, auth: vaultToken(token) }

const subjects: Readonly<Record<string, Partial<VaultTransitKmsOptions>>> = {
  'a key': {},
  'a derived key': { key: 'derived' },
  'a derived key, by derivation alone': { key: 'derived', bindBy: 'derivation' },
  'a key of AES-128': { key: 'small' },
  'a key of another mount': { mount: 'crypto/transit-2' },
  'a key of a namespace': { namespace },
  'encrypt only': { usage: 'encrypt' },
  'decrypt only': { usage: 'decrypt' },
}

for (const [name, options] of Object.entries(subjects)) {
  describe(`contract: Vault transit by ${name}`, () => {
    const create = (): ReturnType<typeof createVaultTransitKms> =>
      createVaultTransitKms({ ...common, key: 'app', ...options })
    const other = options.bindBy === 'derivation' ? 'other-derived' : 'other'
    const createOther = (): ReturnType<typeof createVaultTransitKms> =>
      createVaultTransitKms({ ...common, ...options, key: other, mount: 'transit' })
    runContract(kmsContract(create().capabilities, { create, createOther }))
  })
}

const stacks: Readonly<
  Record<string, (kms: readonly KeyManagementService[]) => KeyManagementService>
> = {
  MultiKms: (read) => new MultiKms({ read }),
  'the whole stack': (kms) => composeKms(kms, { deadlineMs: 60_000, attemptTimeoutMs: 30_000 }),
}
for (const [name, around] of Object.entries(stacks)) {
  describe(`contract: ${name} over two keys of Vault, which takes batches`, () => {
    const of = (...keys: readonly string[]): KeyManagementService =>
      around(keys.map((key) => createVaultTransitKms({ ...common, key })))
    const create = (): KeyManagementService => of('app', 'small')
    const createOther = (): KeyManagementService => of('other', 'other-derived')
    runContract(kmsContract(create().capabilities, { create, createOther }))
  })
}
