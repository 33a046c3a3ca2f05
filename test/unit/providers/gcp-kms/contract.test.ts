import { describe } from 'vitest'
import { createGcpKms, type GcpKmsOptions } from '../../../../src/providers/gcp-kms/index.ts'
import { createFakeGcp, kmsContract } from '../../../../adapters/fakes/index.ts'
import { runContract } from '../../../support/contract.ts'

const fake = createFakeGcp()
const { credentials, network } = fake
const other = fake.createKey()

const subjects: Readonly<Record<string, Partial<GcpKmsOptions> & { readonly keyName: string }>> = {
  'a software key': { keyName: fake.createKey() },
  'an HSM key and its random bytes': {
    keyName: fake.createKey({ protectionLevel: 'HSM' }),
    randomBytes: 'hsm',
  },
  'encrypt only': { keyName: fake.createKey(), usage: 'encrypt' },
  'decrypt only': { keyName: fake.createKey(), usage: 'decrypt' },
}

for (const [name, options] of Object.entries(subjects)) {
  describe(`contract: GCP KMS with ${name}`, () => {
    const create = (keyName: string) => createGcpKms({ credentials, network, ...options, keyName })
    runContract(
      kmsContract(create(other).capabilities, {
        create: () => create(options.keyName),
        createOther: () => create(other),
      }),
    )
  })
}
