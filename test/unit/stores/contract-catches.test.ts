import { describe, expect, it } from 'vitest'
import type { Bytes } from '../../../src/bytes/index.ts'
import type { KeyValueWriteOptions } from '../../../src/ports/index.ts'
import { MemoryKeyValueStore } from '../../../src/stores/index.ts'
import { keyValueStoreContract } from '../../../src/testing/index.ts'
import { movingClock } from './fixture.ts'

// Stores that are wrong in one way each: the suite is worth something only if it sees them.

class NeverEnds extends MemoryKeyValueStore {
  override put(key: string, value: Bytes): Promise<void> {
    return super.put(key, value, { ttlMs: 1e9 })
  }
}
class FoldsKeys extends MemoryKeyValueStore {
  override put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    return super.put(key.normalize(), value, options)
  }
  override get(key: string): Promise<Bytes | undefined> {
    return super.get(key.normalize())
  }
}
class LosesDeletions extends MemoryKeyValueStore {
  override delete(): Promise<void> {
    return Promise.resolve()
  }
}
class WritesWholeBuffers extends MemoryKeyValueStore {
  override put(key: string, value: Bytes, options: KeyValueWriteOptions): Promise<void> {
    return super.put(key, new Uint8Array(value.buffer), options)
  }
}
class LooksThenWrites extends MemoryKeyValueStore {
  override async compareAndSwap(
    ...[key, expected, next, options]: Parameters<MemoryKeyValueStore['compareAndSwap']>
  ): Promise<boolean> {
    const found = await this.get(key)
    if (found?.join() !== expected?.join()) return false
    await this.put(key, next, options)
    return true
  }
}
class DropsTheSignal extends MemoryKeyValueStore {
  override put(key: string, value: Bytes, { ttlMs }: KeyValueWriteOptions): Promise<void> {
    return super.put(key, value, { ttlMs })
  }
}
class TakesAnyKey extends MemoryKeyValueStore {
  override get(key: string): Promise<Bytes | undefined> {
    return super.get(key === '' ? 'x' : key)
  }
}
class SaysMore extends MemoryKeyValueStore {
  override readonly capabilities = { ...new MemoryKeyValueStore().capabilities, minTtlMs: 1 }
}

const broken = {
  NeverEnds,
  FoldsKeys,
  LosesDeletions,
  WritesWholeBuffers,
  LooksThenWrites,
  DropsTheSignal,
  TakesAnyKey,
  SaysMore,
}

describe('the contract of a key-value store catches', () => {
  it.each(Object.keys(broken) as (keyof typeof broken)[])('%s', async (name) => {
    const { runtime, elapse } = movingClock()
    const create = (): MemoryKeyValueStore => new broken[name]({ runtime })
    const cases = keyValueStoreContract(new MemoryKeyValueStore().capabilities, { create, elapse })
    const failed: string[] = []
    for (const one of cases) await one.run().catch(() => failed.push(one.name))
    expect(failed).not.toEqual([])
    expect(failed.length).toBeLessThan(cases.length)
  })
})
