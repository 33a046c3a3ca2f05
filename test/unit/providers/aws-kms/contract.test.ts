import { describe } from 'vitest'
import { type AwsKmsOptions, createAwsKms } from '../../../../src/providers/aws-kms/index.ts'
import { createFakeAws, kmsContract } from '../../../../adapters/fakes/index.ts'
import { runContract } from '../../../support/contract.ts'

const fake = createFakeAws({ keys: [{ alias: 'alias/app' }, { alias: 'alias/other' }] })
const app = fake.createKey({ alias: 'alias/app-2' })
const other = fake.createKey()
const common = { credentials: fake.credentials, network: fake.network, region: fake.region }

const subjects: Readonly<Record<string, Partial<AwsKmsOptions> & { readonly keyId: string }>> = {
  'a key ARN': { keyId: app.arn },
  'a key id': { keyId: app.keyId },
  'an alias': { keyId: 'alias/app-2' },
  'an alias ARN': { keyId: app.arn.replace(/key\/.*/, 'alias/app-2') },
  'encrypt only': { keyId: app.arn, usage: 'encrypt' },
  'decrypt only': { keyId: app.arn, usage: 'decrypt' },
}

for (const [name, options] of Object.entries(subjects)) {
  describe(`contract: AWS KMS by ${name}`, () => {
    const create = (): ReturnType<typeof createAwsKms> => createAwsKms({ ...common, ...options })
    // A key in another region: the target of an alias is known without a call.
    const far = fake.createKey({ region: 'eu-west-1' })
    const byArn = options.keyId.startsWith('arn:') && options.keyId.includes(':key/')
    runContract(
      kmsContract(create().capabilities, {
        create,
        createOther: () =>
          byArn
            ? createAwsKms({ ...common, ...options, keyId: other.arn })
            : createAwsKms({ ...common, ...options, keyId: far.arn, region: 'eu-west-1' }),
      }),
    )
  })
}
