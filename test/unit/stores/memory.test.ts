import { describe, expect, it } from 'vitest'
import type { KeyValueStore } from '../../../src/ports/index.ts'
import { MemoryKeyValueStore } from '../../../src/stores/index.ts'
import { keyValueStoreContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'
import { movingClock } from './fixture.ts'

const clock = movingClock()
const memory = (options = {}): KeyValueStore =>
  new MemoryKeyValueStore({ runtime: clock.runtime, ...options })
const bytes = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(length)
const hour = { ttlMs: 3_600_000 }

describe('contract: memory key-value store', () => {
  runContract(
    keyValueStoreContract(memory().capabilities, { create: memory, elapse: clock.elapse }),
  )
})

describe('the memory key-value store', () => {
  it('R18 holds no more values than it may, and gives up the one that was not used', async () => {
    const store = memory({ maxEntries: 2 })
    await store.put('a', bytes(1), hour)
    await store.put('b', bytes(1), hour)
    await store.get('a')
    await store.put('c', bytes(1), hour)
    expect(await store.get('b')).toBeUndefined()
    expect(await store.get('a')).toEqual(bytes(1))
    expect(await store.get('c')).toEqual(bytes(1))
  })

  it('R18 holds no more bytes than it may, also of values that are replaced and deleted', async () => {
    const store = memory({ maxBytes: 100 })
    for (let turn = 0; turn < 50; turn++) await store.put('a', bytes(60), hour)
    await store.put('b', bytes(40), hour)
    expect((await store.get('a'))?.length).toBe(60)
    await store.delete('a')
    await store.put('c', bytes(60), hour)
    expect((await store.get('b'))?.length).toBe(40)
    await store.put('d', bytes(1), hour)
    expect(await store.get('c')).toBeUndefined()
    expect(store.capabilities.maxValueBytes).toBe(100)
  })
})
