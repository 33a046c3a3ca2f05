// R14: what makes two uses share a held key, for how long, and how many of them there are.
import { describe, expect, it } from 'vitest'
import {
  CachedKms,
  EncryptedEnvelope,
  type EncryptionContext,
  EnvelopeCipher,
} from '../../../src/index.ts'
import { changed, CountingKms, flipped } from '../envelope/fixture.ts'
import {
  type Bytes,
  coldReader,
  type FakeRuntime,
  NOW,
  OPTIONS,
  PlainKms,
  sequence,
} from '../wire/fixture.ts'
import { codeOf, distinctRuntime } from './fixture.ts'

const TTL = 300_000
const text = sequence(9)

/** Both caches with all their defaults: that of a cipher by itself, and the one that is given to it. */
const CACHES = {
  EnvelopeCipher: (parts: Parts) => new EnvelopeCipher({ ...parts, cache: { refreshAheadMs: 0 } }),
  CachedKms: (parts: Parts) => {
    const keys = new CachedKms({ ...parts, refreshAheadMs: 0 })
    return new EnvelopeCipher({ keys, runtime: parts.runtime })
  },
} as const

interface Parts {
  readonly kms: CountingKms
  readonly runtime: FakeRuntime
}

function setUp(name: keyof typeof CACHES) {
  const inner = new PlainKms()
  const kms = new CountingKms(inner)
  const runtime = distinctRuntime()
  const fresh = (): EnvelopeCipher => CACHES[name]({ kms, runtime })
  const write = (context: EncryptionContext = OPTIONS.context): Promise<Bytes> =>
    coldReader(inner, { runtime: distinctRuntime() }).encrypt(text, { ...OPTIONS, context })
  return { kms, runtime, cipher: fresh(), fresh, write }
}

describe.each(Object.keys(CACHES) as (keyof typeof CACHES)[])('R14 %s', (name) => {
  it('R14 holds a key for 5 minutes by default, for readers and writers, however it is used', async () => {
    const { kms, runtime, cipher, write } = setUp(name)
    const envelope = await write()
    for (const ms of [0, 1, TTL / 2, TTL - 1]) {
      runtime.nowMs = NOW + ms
      await cipher.decrypt(envelope, OPTIONS)
      await cipher.encrypt(text, OPTIONS)
    }
    expect(kms.calls).toEqual(['unwrap', 'generate'])
    runtime.nowMs = NOW + TTL
    await cipher.decrypt(envelope, OPTIONS)
    await cipher.encrypt(text, OPTIONS)
    expect(kms.calls).toEqual(['unwrap', 'generate', 'unwrap', 'generate'])
  })

  it('R14 holds 1,000 keys by default, and gives up the one that was not used for the longest time', async () => {
    const { kms, cipher, write } = setUp(name)
    const contexts = Array.from({ length: 1_001 }, (_, i) => ({ tenant: String(i) }))
    const messages = await Promise.all(contexts.map((context) => write(context)))
    const read = (i: number): Promise<Bytes> =>
      cipher.decrypt(messages[i]!, { ...OPTIONS, context: contexts[i]! })
    for (let i = 0; i < 1_000; i += 1) await read(i)
    await read(0)
    expect(kms.calls).toHaveLength(1_000)
    await read(1_000)
    kms.calls.length = 0
    await read(0)
    await read(2)
    expect(kms.calls).toEqual([])
    await read(1)
    expect(kms.calls).toEqual(['unwrap'])
  })

  it('R14 shares nothing with another cache: each is a partition', async () => {
    const { kms, cipher, fresh, write } = setUp(name)
    const other = fresh()
    const envelope = await write()
    for (const one of [cipher, other, cipher, other]) await one.decrypt(envelope, OPTIONS)
    expect(kms.calls).toEqual(['unwrap', 'unwrap'])
    const [a, b] = [await cipher.encrypt(text, OPTIONS), await other.encrypt(text, OPTIONS)]
    expect(EncryptedEnvelope.parse(a).commitment).not.toEqual(EncryptedEnvelope.parse(b).commitment)
    cipher.clear()
    kms.calls.length = 0
    await other.decrypt(envelope, OPTIONS)
    expect(kms.calls).toEqual([])
  })

  it('R14 opens what has other wraps, whichever they are, with the key that is held', async () => {
    const { kms, cipher, write } = setUp(name)
    const envelope = await write()
    await cipher.decrypt(envelope, OPTIONS)
    kms.calls.length = 0
    const { headBytes } = EncryptedEnvelope.parse(envelope)
    for (let i = 1; i <= 32; i += 1) {
      expect(await cipher.decrypt(flipped(envelope, headBytes - i), OPTIONS)).toEqual(text)
    }
    expect(kms.calls).toEqual([])
  })

  it('R14 asks the policy first: a held key opens nothing of another version, kind or KEK', async () => {
    const { kms, cipher, write } = setUp(name)
    const envelope = await write()
    await cipher.decrypt(envelope, OPTIONS)
    kms.calls.length = 0
    const at = Buffer.from(envelope).indexOf('app')
    const refused = (bytes: Uint8Array) => codeOf(() => cipher.decrypt(bytes, OPTIONS))
    expect(await refused(changed(envelope, 0, 0))).toBe('ERR_WIRE_MALFORMED')
    expect(await refused(changed(envelope, 2, 2))).toBe('ERR_WIRE_VERSION_REFUSED')
    expect(await refused(changed(envelope, 3, 2))).toBe('ERR_WIRE_KIND_REFUSED')
    expect(await refused(changed(envelope, at, 0x62))).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
    expect(await refused(envelope)).toBeUndefined()
    expect(kms.calls).toEqual([])
  })

  it.each<[string, EncryptionContext | undefined]>([
    ['another value', { tenant: 'other' }],
    ['another key', { owner: 'acme' }],
    ['one entry more', { tenant: 'acme', region: '' }],
    ['the empty one', {}],
    ['none', undefined],
    ['keys and values that run together alike', { ten: 'antacme' }],
    ['a value with a longer end', { tenant: 'acme\u0000' }],
  ])('R14 opens for no other context, and asks no KMS about it: %s', async (_, context) => {
    const { kms, cipher, write } = setUp(name)
    const envelope = await write()
    await cipher.decrypt(envelope, OPTIONS)
    kms.calls.length = 0
    const given = { aad: OPTIONS.aad, ...(context && { context }) }
    expect(await codeOf(() => cipher.decrypt(envelope, given))).toBe('ERR_DECRYPT_FAILED')
    expect(kms.calls).toEqual([])
  })

  it('R14 finds a key by what the context is, not by how it was written', async () => {
    const { kms, cipher } = setUp(name)
    const aad = OPTIONS.aad
    const envelope = await cipher.encrypt(text, { aad, context: { b: '2', a: '1', '\u00e4': '3' } })
    const turned = { '\u00e4': '3', a: '1', b: '2' }
    await cipher.encrypt(text, { aad, context: turned })
    expect(await cipher.decrypt(envelope, { aad, context: turned })).toEqual(text)
    expect(kms.calls).toEqual(['generate'])
  })
})

it.each([
  [1, undefined],
  [3_600_000, undefined],
  [3_600_001, 'ERR_KMS_CONFIG'],
])('R14 takes a TTL of at most 1 h: %i ms', async (ttlMs, code) => {
  const kms = new PlainKms()
  expect(await codeOf(() => new CachedKms({ kms, ttlMs, refreshAheadMs: 0 }))).toBe(code)
  expect(await codeOf(() => new EnvelopeCipher({ kms, cache: { ttlMs } }))).toBe(code)
})
