import { describe, expect, it } from 'vitest'
import { CachedKms, EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOfAsync, utf8 } from '../../vectors/hex.ts'
import { FakeRuntime, localKms, NOW, OPTIONS } from '../wire/fixture.ts'

const plaintext = utf8('4111 1111')
const TTL = 1_000
const BY_REFERENCE = { ...OPTIONS, form: 'reference' } as const

function world() {
  const kms = localKms()
  const store = new MemoryDataKeyStore()
  const runtime = new FakeRuntime()
  const process = () => {
    const keys = new CachedKms({ kms, runtime, dataKeyStore: store, ttlMs: TTL })
    return { keys, cipher: new EnvelopeCipher({ keys, runtime }) }
  }
  return { store, runtime, process }
}

describe('shredding one data key by reference', () => {
  it('makes every message that refers to it unreadable, for every process without a cached key', async () => {
    const { store, process } = world()
    const { cipher } = process()
    const messages = [
      await cipher.encrypt(plaintext, BY_REFERENCE),
      await cipher.encrypt(plaintext, BY_REFERENCE),
    ]
    expect(await process().cipher.decrypt(messages[0]!, OPTIONS)).toEqual(plaintext)
    await store.delete(EncryptedEnvelope.parse(messages[0]!).dataKeyStoreKey)
    for (const message of messages) {
      expect(await codeOfAsync(() => process().cipher.decrypt(message, OPTIONS))).toBe(
        'ERR_ENVELOPE_UNKNOWN_REFERENCE',
      )
    }
  })

  it('leaves a cached key readable until it is invalidated or expires', async () => {
    const { store, runtime, process } = world()
    const [invalidated, expiring] = [process(), process()]
    const message = await invalidated.cipher.encrypt(plaintext, BY_REFERENCE)
    await expiring.cipher.decrypt(message, OPTIONS)
    const { commitment, dataKeyStoreKey } = EncryptedEnvelope.parse(message)
    await store.delete(dataKeyStoreKey)
    expect(await invalidated.cipher.decrypt(message, OPTIONS)).toEqual(plaintext)
    await invalidated.keys.invalidate({ commitment })
    const read = ({ cipher }: typeof expiring) =>
      codeOfAsync(() => cipher.decrypt(message, OPTIONS))
    expect(await read(invalidated)).toBe('ERR_ENVELOPE_UNKNOWN_REFERENCE')
    expect(await expiring.cipher.decrypt(message, OPTIONS)).toEqual(plaintext)
    runtime.nowMs = NOW + TTL
    expect(await read(expiring)).toBe('ERR_ENVELOPE_UNKNOWN_REFERENCE')
  })

  it('leaves a writer that was invalidated with a new data key, which others can read', async () => {
    const { store, process } = world()
    const { cipher, keys } = process()
    const first = EncryptedEnvelope.parse(await cipher.encrypt(plaintext, BY_REFERENCE))
    await keys.invalidate({ commitment: first.commitment })
    await store.delete(first.dataKeyStoreKey)
    const message = await cipher.encrypt(plaintext, BY_REFERENCE)
    expect(EncryptedEnvelope.parse(message).dataKeyStoreKey).not.toBe(first.dataKeyStoreKey)
    expect(await process().cipher.decrypt(message, OPTIONS)).toEqual(plaintext)
  })
})
