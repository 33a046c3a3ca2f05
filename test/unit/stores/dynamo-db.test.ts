import { beforeEach, describe, expect, it } from 'vitest'
import { DynamoDbDataKeyStore, DynamoDbKeyValueStore } from '../../../src/stores/index.ts'
import { dataKeyStoreContract, keyValueStoreContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'
import { type FakeDynamoDb, fakeDynamoDb, ourTable } from '../../support/fake-dynamodb.ts'
import { repairLogContract, sharedCircuitContract } from '../../support/shared-state.ts'
import { movingClock } from './fixture.ts'

const place = { table: 'keys', region: 'eu-central-1' }
const clock = movingClock()
const optionsOf = ({ network, credentials }: FakeDynamoDb) => ({ ...place, network, credentials })
const valuesOn = (fake: FakeDynamoDb, more = {}): DynamoDbKeyValueStore =>
  new DynamoDbKeyValueStore({ ...optionsOf(fake), runtime: clock.runtime, ...more })
const recordsOn = (fake: FakeDynamoDb, more = {}): DynamoDbDataKeyStore =>
  new DynamoDbDataKeyStore({ ...optionsOf(fake), runtime: clock.runtime, ...more })

const hour = { ttlMs: 3_600_000 }
const bytes = (...values: number[]): Uint8Array<ArrayBuffer> => new Uint8Array(values)
const nameOf = (letter: string): string => `ek1/${letter.repeat(43)}`

const one = fakeDynamoDb('keys')
describe('contract: key-value store on DynamoDB', () => {
  const subject = { create: () => valuesOn(one), elapse: clock.elapse }
  runContract(keyValueStoreContract(valuesOn(one).capabilities, subject))
  runContract(sharedCircuitContract(() => valuesOn(one)))
})
describe('contract: eventual key-value store on DynamoDB', () => {
  const create = (): DynamoDbKeyValueStore => valuesOn(one, { consistency: 'eventual' })
  runContract(keyValueStoreContract(create().capabilities, { create, elapse: clock.elapse }))
})
describe('contract: data-key store on DynamoDB', () => {
  runContract(dataKeyStoreContract(() => recordsOn(one)))
  runContract(repairLogContract(() => recordsOn(one, { prefix: 'repairs:' })))
})

let fake: FakeDynamoDb
beforeEach(() => {
  fake = fakeDynamoDb('keys')
})

const rejection = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('a value on DynamoDB', () => {
  it('ends for DynamoDB in whole seconds, not before it ends for its readers', async () => {
    await valuesOn(fake).put('a', bytes(1), { ttlMs: 1_500 })
    const [item] = fake.items.values()
    const end = Number(item?.['ends_at_ms']?.['N'])
    expect(end).toBe(clock.runtime.now() + 1_500)
    expect(Number(item?.['ttl']?.['N'])).toBe(Math.ceil(end / 1_000))
  })

  it('is in the way of nobody that lists records, whatever its key', async () => {
    await valuesOn(fake).put('data-keys', bytes(1), hour)
    await recordsOn(fake).putIfAbsent(nameOf('a'), bytes(1))
    expect(await recordsOn(fake).list(undefined, 10)).toEqual({ keys: [nameOf('a')] })
  })

  it.each<[string, unknown]>([
    ['no value', { ends_at_ms: { N: '9' } }],
    ['a value of text', { v: { S: 'AAAA' }, ends_at_ms: { N: '9' } }],
    ['no base64', { v: { B: '!' }, ends_at_ms: { N: '9' } }],
    ['no end', { v: { B: 'AAAA' } }],
    ['an end that is none', { v: { B: 'AAAA' }, ends_at_ms: { N: '1e400' } }],
  ])('is refused with %s', async (_, item) => {
    await valuesOn(fake).put('a', bytes(1), hour)
    const [name] = fake.items.keys()
    fake.items.set(name ?? '', item as never)
    expect(await rejection(valuesOn(fake).get('a'))).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      retryable: false,
    })
  })
})

describe('a page of records on DynamoDB', () => {
  it('goes on where an answer ended early', async () => {
    const store = recordsOn(fake)
    const names = ['a', 'b', 'c', 'd', 'e'].map(nameOf)
    for (const name of names) await store.putIfAbsent(name, bytes(1))
    fake.pageSize = 2
    expect(await store.list(undefined, 4)).toEqual({ keys: names.slice(0, 4), cursor: names[3] })
    expect(await store.list(names[3], 4)).toEqual({ keys: names.slice(4) })
    expect(await store.list(undefined, 5)).toEqual({ keys: names })
    fake.pageSize = 0
    expect(await rejection(store.list(undefined, 4))).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    })
  })
})

describe('a table on DynamoDB is refused before the first record', () => {
  const replicas = [{ RegionName: 'eu-west-1' }]
  it.each<[string, unknown]>([
    ['without a sort key', { ...ourTable, KeySchema: ourTable.KeySchema.slice(0, 1) }],
    [
      'with keys of another type',
      { ...ourTable, AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'B' }] },
    ],
    ['with replicas that learn later', { ...ourTable, Replicas: replicas }],
    [
      'with replicas that say so',
      { ...ourTable, Replicas: replicas, MultiRegionConsistency: 'EVENTUAL' },
    ],
    ['that is not described', undefined],
  ])('%s', async (_, description) => {
    fake.description = description
    const store = recordsOn(fake)
    const works = [
      () => store.putIfAbsent(nameOf('a'), bytes(1)),
      () => store.compareAndSwap(nameOf('a'), bytes(1), bytes(1)),
    ]
    for (const work of works)
      expect(await rejection(work())).toMatchObject({ code: 'ERR_KMS_CONFIG' })
    expect(fake.items.size).toBe(0)
  })

  it('but not where its replicas are strong, and it is asked once', async () => {
    fake.description = { ...ourTable, Replicas: replicas, MultiRegionConsistency: 'STRONG' }
    const store = recordsOn(fake)
    await store.putIfAbsent(nameOf('a'), bytes(1))
    await store.putIfAbsent(nameOf('b'), bytes(1))
    expect(fake.asked.map(({ action }) => action)).toEqual(['DescribeTable', 'PutItem', 'PutItem'])
  })

  it('and not looked at where that is declared', async () => {
    await recordsOn(fake, { durability: 'declared' }).putIfAbsent(nameOf('a'), bytes(1))
    expect(fake.asked.map(({ action }) => action)).toEqual(['PutItem'])
  })
})

describe('what DynamoDB refuses', () => {
  it.each([
    [400, 'ProvisionedThroughputExceededException', 'ERR_STORE_UNAVAILABLE', true],
    [400, 'ThrottlingException', 'ERR_STORE_UNAVAILABLE', true],
    [400, 'RequestLimitExceeded', 'ERR_STORE_UNAVAILABLE', true],
    [400, 'TransactionConflictException', 'ERR_STORE_UNAVAILABLE', true],
    [400, 'ReplicatedWriteConflictException', 'ERR_STORE_UNAVAILABLE', true],
    [500, 'InternalServerError', 'ERR_STORE_UNAVAILABLE', true],
    [503, 'ServiceUnavailable', 'ERR_STORE_UNAVAILABLE', true],
    [400, 'AccessDeniedException', 'ERR_STORE_UNAVAILABLE', false],
    [400, 'UnrecognizedClientException', 'ERR_STORE_UNAVAILABLE', false],
    [400, 'ItemCollectionSizeLimitExceededException', 'ERR_STORE_UNAVAILABLE', false],
    [400, 'ResourceNotFoundException', 'ERR_KMS_CONFIG', false],
    [400, 'ValidationException', 'ERR_KMS_CONFIG', false],
  ])('%i %s is %s', async (status, name, code, retryable) => {
    const works = [
      () => valuesOn(fake).get('a'),
      () => valuesOn(fake).put('a', bytes(1), hour),
      () => valuesOn(fake).compareAndSwap('a', undefined, bytes(1), hour),
      () => recordsOn(fake).list(undefined, 5),
      () => recordsOn(fake, { durability: 'declared' }).putIfAbsent(nameOf('a'), bytes(1)),
    ]
    for (const work of works) {
      fake.fault = { status, name }
      const error = await rejection(work())
      expect(error).toMatchObject({ code, retryable })
      expect((error as Error).message).toContain(name)
      const said = JSON.stringify([error, String((error as Error).stack)])
      expect(said).not.toContain('secret')
    }
  })

  it.each([
    ['ResourceNotFoundException', 'table keys in eu-central-1 was not found: create it'],
    ['ValidationException', 'must have the keys pk HASH S, sk RANGE S'],
  ])('as %s says what is wrong with the table', async (name, words) => {
    fake.fault = { status: 400, name }
    expect(((await rejection(valuesOn(fake).get('a'))) as Error).message).toContain(words)
  })

  it('is not a lost race where no condition was sent', async () => {
    for (const work of [
      () => valuesOn(fake).get('a'),
      () => valuesOn(fake).put('a', bytes(1), hour),
      () => valuesOn(fake).delete('a'),
    ]) {
      fake.fault = { status: 400, name: 'ConditionalCheckFailedException' }
      expect(await rejection(work())).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    }
  })

  it('a signature that is not ours', async () => {
    const credentials = { ...fake.credentials, secretAccessKey: 'another' }
    expect(await rejection(valuesOn(fake, { credentials }).get('a'))).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      retryable: false,
    })
  })
})

describe('an answer of DynamoDB that does not come', () => {
  it('may be that of a write that was made', async () => {
    const store = valuesOn(fake)
    fake.fault = 'cut'
    const lost = await rejection(store.compareAndSwap('a', undefined, bytes(7), hour))
    expect(lost).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', retryable: true })
    expect(fake.asked.length).toBe(1) // a second try would find its own write and call it another's
    expect(await store.get('a')).toEqual(bytes(7))
  })

  // Each with a fake of its own: a request that comes late would take the other's fault.
  it('ends at the deadline', async () => {
    fake.fault = 'hang'
    expect(await rejection(valuesOn(fake, { timeoutMs: 20 }).get('a'))).toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      retryable: true,
    })
  })

  it('ends at an abort', async () => {
    fake.fault = 'hang'
    const control = new AbortController()
    const reason = new Error('enough')
    const work = rejection(valuesOn(fake).get('a', { signal: control.signal }))
    setTimeout(() => {
      control.abort(reason)
    }, 5)
    expect(await work).toBe(reason)
  })
})
