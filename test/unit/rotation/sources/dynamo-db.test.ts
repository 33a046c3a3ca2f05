import { describe, expect, it } from 'vitest'
import { dynamoDbSource } from '../../../../src/rotation/sources/index.ts'
import { fakeDynamoDb, ourTable } from '../../../support/fake-dynamodb.ts'

// The servers lane runs the contract against moto, which knows no global tables.

const table = 'orders'

describe('a source on DynamoDB', () => {
  const optionsOf = (fake: ReturnType<typeof fakeDynamoDb>) => {
    const { network, credentials } = fake
    return { table, region: 'eu-central-1', network, credentials, values: ['card'] }
  }

  it('refuses a table whose replicas learn of a write later', async () => {
    const fake = fakeDynamoDb(table)
    const source = dynamoDbSource(optionsOf(fake))
    const config = { code: 'ERR_KMS_CONFIG' }
    const replicas = [{ RegionName: 'eu-west-1' }]
    for (const consistency of [undefined, 'EVENTUAL']) {
      fake.description = { ...ourTable, Replicas: replicas, MultiRegionConsistency: consistency }
      await expect(source.page(undefined, 1, {})).rejects.toMatchObject(config)
    }
    const changes = [{ id: '["a","b"]', field: 'card', expected: 'x', next: 'y' }]
    await expect(source.swap(changes, {})).rejects.toMatchObject(config)
    expect(new Set(fake.asked.map(({ action }) => action))).toEqual(new Set(['DescribeTable']))
    fake.description = { ...ourTable, Replicas: replicas, MultiRegionConsistency: 'STRONG' }
    fake.items.set('a\u0000b', { pk: { S: 'a' }, sk: { S: 'b' }, card: { S: 'x' } })
    expect((await source.read(['["a","b"]'], {}))[0]?.values).toEqual({ card: 'x' })
  })

  it('reads the key of the table once, and refuses a key as a value', async () => {
    const fake = fakeDynamoDb(table)
    const source = dynamoDbSource(optionsOf(fake))
    await source.read(['["a","b"]', '["c","d"]'], {})
    await source.read(['["a","b"]'], {})
    expect(fake.asked.map(({ action }) => action)).toEqual([
      'DescribeTable',
      'GetItem',
      'GetItem',
      'GetItem',
    ])
    const wrong = dynamoDbSource({ ...optionsOf(fake), values: ['sk'] })
    await expect(wrong.read(['["a","b"]'], {})).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
  })

  it('refuses options that are none', () => {
    const fake = fakeDynamoDb(table)
    const bad = [
      { table: 'a b' },
      { values: [] },
      { values: ['card', 'card'] },
      { values: ['card'], facts: ['card'] },
      { facts: 'card' },
      { segment: 0 },
      { segment: [4, 4] },
      { segment: [0] },
      { skipOthers: 'yes' },
      { callsAtOnce: 0 },
      { callsAtOnce: 65 },
      { prefix: 'a' },
      { name: '' },
      { timeoutMs: 0 },
      { limit: 7 },
    ]
    for (const more of bad) {
      expect(() => dynamoDbSource({ ...optionsOf(fake), ...more } as never)).toThrow(
        expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
      )
    }
    expect(dynamoDbSource({ ...optionsOf(fake), segment: [2, 4] }).name).toBe('orders-2')
  })
})
