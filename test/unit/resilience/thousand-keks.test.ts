import { beforeAll, describe, expect, it } from 'vitest'
import { createFakeAws } from '../../../adapters/fakes/index.ts'
import { composeKms, EnvelopeCipher, kmsByContext } from '../../../src/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'

const CUSTOMERS = 1_000
const names = Array.from({ length: CUSTOMERS }, (_, i) => `customer-${String(i)}`)
const plaintext = new Uint8Array([1, 2, 3])

/** Any customer but this one. */
const neighbour = (i: number): string => names[(i + 1) % CUSTOMERS] as string

describe('1,000 KEKs of AWS KMS in one process', () => {
  const fake = createFakeAws()
  const keys = new Map(names.map((name) => [name, fake.createKey().arn]))
  const cipher = (maxEntries: number): EnvelopeCipher => {
    const { region, credentials, network } = fake
    const kms = kmsByContext({
      keyFor: ({ tenant = '' }) => keys.get(tenant),
      create: (keyId) => composeKms(createAwsKms({ keyId, region, credentials, network })),
      maxEntries,
    })
    return new EnvelopeCipher({ kms })
  }
  let envelopes: readonly Uint8Array[] = []

  beforeAll(async () => {
    const writer = cipher(100)
    const sealed = []
    for (const tenant of names)
      sealed.push(await writer.encrypt(plaintext, { context: { tenant } }))
    envelopes = sealed
  }, 60_000)

  it('each customer’s data key is made under its own KEK, beyond maxEntries too', () => {
    const made = fake.calls.filter(({ operation }) => operation === 'GenerateDataKey')
    expect(made).toHaveLength(CUSTOMERS)
    const strangers = made.filter(
      ({ context, keyArn }) => keys.get(context?.['tenant'] ?? '') !== keyArn,
    )
    expect(strangers).toEqual([])
  })

  it('a swapped context reaches no KEK: not the writer’s, and not the other customer’s', async () => {
    const reader = cipher(100)
    // Some of the KMSs are held already.
    for (const [i, envelope] of envelopes.slice(0, 50).entries())
      await reader.decrypt(envelope, { context: { tenant: names[i] as string } })
    fake.forgetCalls()
    const items = envelopes.map((envelope, i) => ({ envelope, context: { tenant: neighbour(i) } }))
    const outcomes = await reader.decryptMany(items)
    expect(outcomes.filter(({ ok }) => ok)).toEqual([])
    for (const { envelope, context } of items.slice(0, 100))
      await expect(reader.decrypt(envelope, { context })).rejects.toMatchObject({
        name: 'KmsError',
      })
    expect(fake.calls).toEqual([])
  }, 60_000)

  it('the same envelopes open under their own contexts, each by its own KEK', async () => {
    fake.forgetCalls()
    const items = envelopes.map((envelope, i) => ({
      envelope,
      context: { tenant: names[i] as string },
    }))
    const outcomes = await cipher(CUSTOMERS).decryptMany(items)
    expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
    const used = fake.calls.filter(({ operation }) => operation === 'Decrypt')
    expect(new Set(used.map(({ keyArn }) => keyArn)).size).toBe(CUSTOMERS)
    const strangers = used.filter(
      ({ context, keyArn }) => keys.get(context?.['tenant'] ?? '') !== keyArn,
    )
    expect(strangers).toEqual([])
  }, 60_000)
})
