import { describe } from 'vitest'
import {
  azureClientSecret,
  type AzureKeyVaultOptions,
  createAzureKeyVaultKms,
} from '../../../../src/providers/azure-key-vault/index.ts'
import { createFakeAzure, kmsContract } from '../../../../adapters/fakes/index.ts'
import { runContract } from '../../../support/contract.ts'

const fake = createFakeAzure()
const { network } = fake
const credentials = azureClientSecret({ ...fake.credentials, network })
const vault = 'https://acme.vault.usgovcloudapi.net'

const subjects: Readonly<Record<string, Partial<AzureKeyVaultOptions> & { other: string }>> = {
  'an RSA key of a vault': { keyId: fake.createKey(), other: fake.createKey() },
  'an RSA key in another cloud': {
    keyId: fake.createKey({ vault }),
    other: fake.createKey({ vault }),
  },
  'an AES key of a Managed HSM': {
    keyId: fake.createKey({ kty: 'oct-HSM' }),
    other: fake.createKey({ kty: 'oct-HSM' }),
    algorithm: 'A256KW',
  },
  'encrypt only': { keyId: fake.createKey(), other: fake.createKey(), usage: 'encrypt' },
  'decrypt only': { keyId: fake.createKey(), other: fake.createKey(), usage: 'decrypt' },
}

for (const [name, { other, keyId = '', ...options }] of Object.entries(subjects)) {
  describe(`contract: Azure Key Vault with ${name}`, () => {
    const of = (id: string): ReturnType<typeof createAzureKeyVaultKms> =>
      createAzureKeyVaultKms({ credentials, network, ...options, keyId: id })
    runContract(
      kmsContract(of(keyId).capabilities, {
        create: () => of(keyId),
        createOther: () => of(other),
        wrapsAreDeterministic: options.algorithm === 'A256KW',
      }),
    )
  })
}
