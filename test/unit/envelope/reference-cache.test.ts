import { describe, expect, it } from 'vitest'
import { CachedKms, EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOfAsync, utf8 } from '../../vectors/hex.ts'
import { FakeRuntime, localKms, NOW, OPTIONS } from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

const plaintext = utf8('4111 1111')
const TTL = 1_000

/** A store that counts, and loses what it is told to lose. */
class CountingStore extends MemoryDataKeyStore {
  reads = 0
  lost = false

  override get(key: string): ReturnType<MemoryDataKeyStore['get']> {
    this.reads += 1
    return this.lost ? Promise.resolve(undefined) : super.get(key)
  }
}

async function world() {
  const kms = new CountingKms(localKms())
  const store = new CountingStore()
  const runtime = new FakeRuntime()
  const cacheOf = (): CachedKms => new CachedKms({ kms, runtime, dataKeyStore: store, ttlMs: TTL })
  const writer = new EnvelopeCipher({ keys: cacheOf(), runtime })
  const message = await writer.encrypt(plaintext, { ...OPTIONS, form: 'reference' })
  store.reads = 0
  kms.calls.length = 0
  const cache = cacheOf()
  return {
    kms,
    store,
    runtime,
    cache,
    reader: new EnvelopeCipher({ keys: cache, runtime }),
    message,
  }
}

describe('a data key that messages refer to, held in memory', () => {
  it('is read and unwrapped once, and counted as a hit after that', async () => {
    const { kms, store, cache, reader, message } = await world()
    for (let i = 0; i < 4; i++) expect(await reader.decrypt(message, OPTIONS)).toEqual(plaintext)
    expect(store.reads).toBe(1)
    expect(kms.calls).toEqual(['unwrap'])
    expect(cache.stats()).toMatchObject({ decryptHits: 3, decryptMisses: 1, entries: 1 })
  })

  it('outlives the loss of its record until the TTL, and not a moment longer', async () => {
    const { store, runtime, reader, message } = await world()
    await reader.decrypt(message, OPTIONS)
    store.lost = true
    runtime.nowMs = NOW + TTL - 1
    expect(await reader.decrypt(message, OPTIONS)).toEqual(plaintext)
    runtime.nowMs = NOW + TTL
    const code = await codeOfAsync(() => reader.decrypt(message, OPTIONS))
    expect(code).toBe('ERR_ENVELOPE_UNKNOWN_REFERENCE')
  })

  it('serves the inline form of the same message too, and the other way round', async () => {
    const { kms, store, reader, message } = await world()
    const { dataKeyStoreKey } = EncryptedEnvelope.parse(message)
    const record = (await store.get(dataKeyStoreKey))!
    const inline = EncryptedEnvelope.parse(message).toInline(record)
    store.reads = 0
    expect(await reader.decrypt(inline, OPTIONS)).toEqual(plaintext)
    expect(await reader.decrypt(message, OPTIONS)).toEqual(plaintext)
    expect(kms.calls).toEqual(['unwrap'])
    expect(store.reads).toBe(0)
  })

  it('W6.3: is not used for another context, which asks the store and nobody else', async () => {
    const { kms, reader, message } = await world()
    await reader.decrypt(message, OPTIONS)
    kms.calls.length = 0
    const call = { ...OPTIONS, context: { tenant: 'other' } }
    expect(await codeOfAsync(() => reader.decrypt(message, call))).toBe('ERR_DECRYPT_FAILED')
    expect(kms.calls).toEqual([])
    expect(await reader.decrypt(message, OPTIONS)).toEqual(plaintext)
  })

  it('W4.24: a warm data key that was inline so far is stored before it is referred to', async () => {
    const kms = localKms()
    const store = new CountingStore()
    const cipher = new EnvelopeCipher({ kms, dataKeyStore: store, runtime: new FakeRuntime() })
    const inline = await cipher.encrypt(plaintext, OPTIONS)
    expect((await store.list(undefined, 9)).keys).toEqual([])
    store.lost = true
    const call = { ...OPTIONS, form: 'reference' } as const
    expect(await codeOfAsync(() => cipher.encrypt(plaintext, call))).toBe('ERR_STORE_UNAVAILABLE')
    store.lost = false
    const message = await cipher.encrypt(plaintext, call)
    const { dataKeyStoreKey } = EncryptedEnvelope.parse(inline)
    expect(EncryptedEnvelope.parse(message).dataKeyStoreKey).toBe(dataKeyStoreKey)
    expect((await store.list(undefined, 9)).keys).toEqual([dataKeyStoreKey])
    const reads = store.reads
    await cipher.encrypt(plaintext, call)
    expect(store.reads).toBe(reads)
  })

  it('cannot be read where there is no store, whatever else is there', async () => {
    const { kms, message } = await world()
    const reader = new EnvelopeCipher({ kms, runtime: new FakeRuntime() })
    expect(await codeOfAsync(() => reader.decrypt(message, OPTIONS))).toBe('ERR_WIRE_KIND_REFUSED')
    const [outcome] = await reader.decryptMany([{ envelope: message, ...OPTIONS }])
    expect(outcome).toMatchObject({ ok: false, error: { code: 'ERR_WIRE_KIND_REFUSED' } })
    expect(kms.calls).toEqual([])
  })
})
