import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStorage, type Driver, type Storage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import lruDriver from 'unstorage/drivers/lru-cache'
import memoryDriver from 'unstorage/drivers/memory'
import { afterAll, describe, expect, it } from 'vitest'
import { UnstorageKeyValueStore } from '../../../src/stores/index.ts'
import { keyValueStoreContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'
import { movingClock } from './fixture.ts'

const clock = movingClock()
const folder = await mkdtemp(join(tmpdir(), 'edge-kms-unstorage-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A driver that knows text only, as that of Redis does: unstorage itself makes text of bytes. */
function textDriver(): Driver & { readonly ttls: unknown[] } {
  const texts = new Map<string, string>()
  const ttls: unknown[] = []
  return {
    ttls,
    hasItem: (key) => texts.has(key),
    getItem: (key) => texts.get(key) ?? null,
    setItem(key, value, options) {
      texts.set(key, value)
      ttls.push((options as { ttl?: unknown }).ttl)
    },
    removeItem: (key) => void texts.delete(key),
    getKeys: () => [...texts.keys()],
  }
}

const text = textDriver()
const storages: Readonly<Record<string, Storage>> = {
  memory: createStorage({ driver: memoryDriver() }),
  fs: createStorage({ driver: fsDriver({ base: folder }) }),
  'lru-cache': createStorage({ driver: lruDriver({ max: 1_000 }) }),
  'text alone': createStorage({ driver: text }),
}
const storeOn = (storage: Storage): UnstorageKeyValueStore =>
  new UnstorageKeyValueStore({ storage, runtime: clock.runtime })

const hour = { ttlMs: 3_600_000 }
const bytes = Uint8Array.from({ length: 40 }, (_, i) => i)

for (const [name, storage] of Object.entries(storages)) {
  describe(`contract: key-value store on unstorage, ${name}`, () => {
    const subject = { create: () => storeOn(storage), elapse: clock.elapse }
    runContract(keyValueStoreContract(storeOn(storage).capabilities, subject))
  })
}

describe('a value on unstorage', () => {
  it('says its time to live in whole seconds to a driver that knows it', async () => {
    await storeOn(storages['text alone'] as Storage).put('a', bytes, { ttlMs: 1_001 })
    expect(text.ttls.at(-1)).toBe(2)
  })

  it('that a crash left half there is none, wherever it was cut', async () => {
    const base = await mkdtemp(join(folder, 'cut-'))
    const store = storeOn(createStorage({ driver: fsDriver({ base }) }))
    await store.put('a', bytes, hour)
    const [name = ''] = await readdir(join(base, 'edge-kms'))
    const path = join(base, 'edge-kms', name)
    const whole = await readFile(path)
    for (let length = 0; length < whole.length; length++) {
      await writeFile(path, whole.subarray(0, length))
      expect(await store.get('a')).toBeUndefined()
    }
    await writeFile(path, whole)
    expect(await store.get('a')).toEqual(bytes)
  })

  it.each([7, {}, 'text', [1, 2]])('that no store wrote is refused: %j', async (value) => {
    const storage = createStorage({ driver: { ...memoryDriver(), getItemRaw: () => value } })
    await expect(storeOn(storage).get('a')).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      retryable: false,
    })
  })

  it('whose driver fails is not answered with its words', async () => {
    const fails = (): never => {
      throw Object.assign(new Error('redis://user:secret@host'), { code: 'ECONNRESET' })
    }
    const storage = createStorage({ driver: { ...memoryDriver(), getItemRaw: fails } })
    const error = (await storeOn(storage)
      .get('a')
      .catch((thrown: unknown) => thrown)) as Error
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', retryable: true })
    expect(JSON.stringify([error, error.stack, String(error.cause)])).not.toContain('secret')
    expect(String(error.cause)).toContain('ECONNRESET')
  })
})
