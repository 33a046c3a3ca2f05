import { describe, expect, it } from 'vitest'
import { type AwsKmsOptions, createAwsKms } from '../../../../src/providers/aws-kms/index.ts'
import { createFakeAws, type FakeAws } from '../../../../adapters/fakes/index.ts'
import type { Network } from '../../../../src/index.ts'
import { kms } from '../../fakes/aws/client.ts'

const keyId = 'alias/app'
const arn = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const user = createFakeAws().credentials

function setUp(
  allow: readonly string[],
  options: Partial<AwsKmsOptions> = {},
): { readonly fake: FakeAws; readonly check: () => Promise<string> } {
  const fake = createFakeAws({
    accessKeys: [{ ...user, policy: { allow } }],
    keys: [{ alias: keyId }],
  })
  const { region, credentials, network } = fake
  const subject = createAwsKms({ keyId, region, credentials, network, ...options })
  const check = async (): Promise<string> => {
    const { healthy, checks } = await subject.healthCheck({})
    return healthy ? 'healthy' : (checks[0]?.code ?? 'no code')
  }
  return { fake, check }
}

const calls = (fake: FakeAws): string => fake.calls.map((call) => call.operation).join()

describe('AWS KMS: health check', () => {
  const both = ['kms:GenerateDataKey', 'kms:Decrypt']
  it.each<[NonNullable<AwsKmsOptions['usage']>, string[], string, string]>([
    ['both', both, 'healthy', 'GenerateDataKey,Decrypt'],
    ['both', ['kms:GenerateDataKey'], 'ERR_KMS_ACCESS_DENIED', 'GenerateDataKey,Decrypt'],
    ['both', ['kms:Decrypt'], 'ERR_KMS_ACCESS_DENIED', 'GenerateDataKey'],
    ['encrypt', ['kms:GenerateDataKey'], 'healthy', 'GenerateDataKey'],
    ['decrypt', ['kms:Decrypt', 'kms:DescribeKey'], 'healthy', 'DescribeKey,Decrypt'],
    ['decrypt', ['kms:DescribeKey'], 'ERR_KMS_ACCESS_DENIED', 'DescribeKey,Decrypt'],
    ['decrypt', ['kms:Decrypt'], 'ERR_KMS_ACCESS_DENIED', 'DescribeKey'],
  ])('of %s with %j is %s', async (usage, allow, result, operations) => {
    const { fake, check } = setUp(allow, { usage })
    expect([await check(), calls(fake)]).toEqual([result, operations])
  })

  it('of decrypt takes a key whose primary Region is being changed for usable', async () => {
    const KeyMetadata = { Arn: arn, KeyState: 'Updating' }
    const network: Network = {
      ...createFakeAws().network,
      fetch: (_url, init) => {
        const target = new Headers(init.headers).get('x-amz-target')
        if (target?.endsWith('DescribeKey') === true)
          return Promise.resolve(Response.json({ KeyMetadata }))
        const refusal = { __type: 'DryRunOperationException' }
        return Promise.resolve(Response.json(refusal, { status: 412 }))
      },
    }
    const subject = createAwsKms({ keyId: arn, credentials: user, network, usage: 'decrypt' })
    expect((await subject.healthCheck({})).healthy).toBe(true)
  })

  it.each(['both', 'encrypt', 'decrypt'] as const)('of %s sees a disabled key', async (usage) => {
    const { fake, check } = setUp(['kms:*'], { usage })
    expect(await check()).toBe('healthy')
    const [key] = fake.calls
    await kms(fake, 'DisableKey', { KeyId: key?.keyArn })
    expect(await check()).toBe('ERR_KMS_KEY_DISABLED')
  })

  it('sends `edge-kms:dk` = `health`, and what is configured beside it', async () => {
    const contexts = async (options: Partial<AwsKmsOptions>): Promise<unknown[]> => {
      const { fake, check } = setUp(['kms:*'], options)
      await check()
      return fake.calls.map(({ context }) => context)
    }
    const plain = { 'edge-kms:dk': 'health' }
    expect(await contexts({})).toEqual([plain, plain])
    const healthContext = { tenant: 'acme', 'edge-kms:dk': 'salt.1' }
    const whole = { tenant: 'acme', ...plain }
    expect(await contexts({ healthContext })).toEqual([whole, whole])
  })

  it('makes no data key', async () => {
    const { fake, check } = setUp(['kms:*'])
    await check()
    const errors = fake.calls.map(({ error }) => error)
    expect(errors).toEqual(['DryRunOperationException', 'DryRunOperationException'])
  })

  it('asks a server that knows no dry runs to decrypt what it made', async () => {
    const fake = createFakeAws({ keys: [{ alias: keyId }], defects: ['dry-run-performs'] })
    const bodies: string[] = []
    const network: AwsKmsOptions['network'] = {
      ...fake.network,
      fetch: (url, init) => {
        bodies.push(init.body as string)
        return fake.network.fetch(url, init)
      },
    }
    const { region, credentials } = fake
    await createAwsKms({ keyId, region, credentials, network }).healthCheck({})
    expect(bodies.map((body) => body.includes('CiphertextBlob'))).toEqual([false, true])
  })
})
