import { describe, expect, it } from 'vitest'
import {
  type DataKeyStore,
  EncryptedEnvelope,
  EnvelopeCipher,
  isKmsError,
} from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOf, codeOfAsync, toHex, utf8 } from '../../vectors/hex.ts'
import { type Bytes, coldReader, OPTIONS, PlainKms, sequence, setUp, through } from './fixture.ts'

const FAILED = 'ERR_DECRYPT_FAILED'
const plaintext = utf8('4111 1111')
const BY_REFERENCE = { ...OPTIONS, form: 'reference' as const }

/** A store whose answers a test can change. */
class SpyStore extends MemoryDataKeyStore {
  readonly log: string[] = []
  answer: ((record: Bytes | undefined) => Bytes | undefined) | undefined
  failing = false

  override async get(key: string): Promise<Bytes | undefined> {
    this.log.push(`get ${key}`)
    const record = await super.get(key)
    return this.answer === undefined ? record : this.answer(record)
  }

  override async putIfAbsent(key: string, record: Bytes): Promise<boolean> {
    this.log.push(`put ${key}`)
    if (this.failing) throw new Error('no network')
    return super.putIfAbsent(key, record)
  }
}

describe('messages by reference', () => {
  it('W4.23: the commitment in the message decides, not the one in the record', async () => {
    const dataKeyStore = new SpyStore()
    const { cipher, kms } = setUp({ dataKeyStore, cache: false })
    const first = await cipher.encrypt(plaintext, BY_REFERENCE)
    kms.dek = sequence(32, 7)
    const second = await cipher.encrypt(utf8('other text'), BY_REFERENCE)
    const names = [first, second].map((one) => EncryptedEnvelope.parse(one).dataKeyStoreKey)
    const other = (await dataKeyStore.get(names[1]!))!

    // The store answers with the genuine record of another data key.
    dataKeyStore.answer = () => other
    kms.calls.length = 0
    for (const reader of [
      coldReader(kms, { dataKeyStore }),
      coldReader(kms, { dataKeyStore, cache: false }),
    ]) {
      expect(await codeOfAsync(() => reader.decrypt(first, OPTIONS))).toBe(FAILED)
      const [outcome] = await reader.decryptMany([{ envelope: first, ...OPTIONS }])
      expect(outcome).toMatchObject({ ok: false, error: { code: FAILED } })
    }
    expect(kms.calls).toEqual([])

    // And where that record claims the commitment of the message, the recomputed one is another.
    const forged = other.slice()
    forged.set(EncryptedEnvelope.parse(first).commitment, 36)
    dataKeyStore.answer = () => forged
    expect(await codeOfAsync(() => coldReader(kms, { dataKeyStore }).decrypt(first, OPTIONS))).toBe(
      FAILED,
    )
    dataKeyStore.answer = undefined
    expect(await coldReader(kms, { dataKeyStore }).decrypt(first, OPTIONS)).toEqual(plaintext)
  })

  it('W4.24: no message leaves before its record is durable and readable', async () => {
    for (const spoil of [
      (store: SpyStore) => (store.failing = true),
      (store: SpyStore) => (store.answer = () => undefined),
      (store: SpyStore) => (store.answer = (record) => record?.slice(1)),
    ]) {
      const dataKeyStore = new SpyStore()
      const { cipher } = setUp({ dataKeyStore })
      spoil(dataKeyStore)
      const failed = await codeOfAsync(() => cipher.encrypt(plaintext, BY_REFERENCE))
      expect(failed).toBe('ERR_STORE_UNAVAILABLE')
      const again = await codeOfAsync(() => cipher.encrypt(plaintext, BY_REFERENCE))
      expect(again).toBe('ERR_STORE_UNAVAILABLE')
      const stream = await through(cipher.encryptStream(BY_REFERENCE), plaintext).catch(
        (e: unknown) => e,
      )
      expect(isKmsError(stream, 'ERR_STORE_UNAVAILABLE')).toBe(true)
    }
  })

  it('W4.24: the record is written once, under the name of its commitment, before the message', async () => {
    const dataKeyStore = new SpyStore()
    const { cipher } = setUp({ dataKeyStore })
    await cipher.encrypt(plaintext, OPTIONS)
    expect(dataKeyStore.log).toEqual([])
    const envelope = await cipher.encrypt(plaintext, BY_REFERENCE)
    const name = EncryptedEnvelope.parse(envelope).dataKeyStoreKey
    expect(dataKeyStore.log).toEqual([`put ${name}`, `get ${name}`])
    await cipher.encrypt(plaintext, BY_REFERENCE)
    expect(dataKeyStore.log).toHaveLength(2)
    const record = EncryptedEnvelope.parse((await dataKeyStore.get(name))!)
    expect(record.kind).toBe('data-key-record')
    expect(toHex(record.commitment)).toBe(toHex(EncryptedEnvelope.parse(envelope).commitment))
  })

  it('W4.25: an unknown reference has a code of its own, which is retryable', async () => {
    const dataKeyStore = new MemoryDataKeyStore()
    const { cipher, kms } = setUp({ dataKeyStore })
    const envelope = await cipher.encrypt(plaintext, BY_REFERENCE)
    kms.calls.length = 0
    const reader = coldReader(kms, { dataKeyStore: new MemoryDataKeyStore() })
    const error = await reader.decrypt(envelope, OPTIONS).catch((caught: unknown) => caught)
    expect(isKmsError(error, 'ERR_ENVELOPE_UNKNOWN_REFERENCE')).toBe(true)
    expect(error).toMatchObject({ retryable: true })
    expect(kms.calls).toEqual([])
  })

  it('W4.26: refuses a store without read-after-write consistency', () => {
    const kms = new PlainKms()
    const strong = new MemoryDataKeyStore()
    const eventual = new Proxy<DataKeyStore>(strong, {
      get: (target, name) =>
        name === 'consistency' ? 'eventual' : (Reflect.get(target, name, target) as unknown),
    })
    const configured = (dataKeyStore: DataKeyStore): string | undefined =>
      codeOf(() => new EnvelopeCipher({ kms, dataKeyStore }))
    expect(configured(strong)).toBeUndefined()
    expect(configured(eventual)).toBe('ERR_KMS_CONFIG')
    expect(codeOf(() => new EnvelopeCipher({ kms, dataKeyStore: eventual, cache: false }))).toBe(
      'ERR_KMS_CONFIG',
    )
  })

  it('converts to and fro without a key', async () => {
    const dataKeyStore = new MemoryDataKeyStore()
    const { cipher, kms } = setUp({ dataKeyStore })
    const record = await cipher.encrypt(plaintext, OPTIONS)
    const stream = await through(cipher.encryptStream(OPTIONS), sequence(20_000))
    for (const [inline, kinds, text] of [
      [record, ['record-by-reference'], plaintext],
      [stream, ['stream-by-reference'], sequence(20_000)],
    ] as const) {
      const parsed = EncryptedEnvelope.parse(inline)
      await dataKeyStore.putIfAbsent(parsed.dataKeyStoreKey, parsed.toDataKeyRecord())
      const reference = parsed.toReference()
      const reader = coldReader(kms, { dataKeyStore })
      expect(await reader.decrypt(reference, { ...OPTIONS, kinds })).toEqual(text)
      const back = EncryptedEnvelope.parse(reference).toInline(parsed.toDataKeyRecord())
      expect(toHex(back)).toBe(toHex(inline))
    }
  })
})
