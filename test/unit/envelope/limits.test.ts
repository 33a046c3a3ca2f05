import { describe, expect, it } from 'vitest'
import { CachedKms, EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { mayEncryptAt } from '../../../src/data-keys/data-key-limits.ts'
import { DATA_KEY_OPTIONS } from '../../../src/data-keys/index.ts'
import { codeOf, codeOfAsync, toHex, utf8 } from '../../vectors/hex.ts'
import {
  coldReader,
  localKms,
  NOW,
  OPTIONS,
  PlainKms,
  sequence,
  setUp,
  through,
} from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

const HOUR = 3_600_000
const plaintext = utf8('4111 1111')
const keyOf = (message: Uint8Array): string => toHex(EncryptedEnvelope.parse(message).commitment)

describe('R4 age', () => {
  it('R4 no method writes under a data key older than encryptForMs', async () => {
    // The cache holds it longer and never renews it ahead, so that its own lifetime decides nothing.
    const cache = { ttlMs: HOUR, refreshAheadMs: 0 }
    const { cipher, runtime, kms } = setUp({ encryptForMs: 600_000, cache })
    const keys = async (): Promise<string[]> => {
      const [many] = await cipher.encryptMany([{ plaintext, ...OPTIONS }])
      if (many?.ok !== true) throw new Error('encryptMany failed')
      const stream = await through(cipher.encryptStream(OPTIONS), plaintext)
      return [await cipher.encrypt(plaintext, OPTIONS), many.value, stream].map(keyOf)
    }
    const [first] = await keys()
    runtime.nowMs = NOW + 600_000 - 1
    expect(await keys()).toEqual([first, first, first])
    runtime.nowMs = NOW + 600_000
    expect(await keys()).not.toContain(first)
    expect(kms.calls).toEqual(['generate', 'generate'])
  })

  it.each([
    ['one hour by default', { encryptForMs: undefined }, HOUR],
    ['24 hours at most', { encryptForMs: 24 * HOUR }, 24 * HOUR],
  ])('R4 the age is %s', async (_, limits, age) => {
    const { kms, runtime } = setUp()
    // A cache that never renews a key by itself, so that its age alone ends it.
    const keys = new CachedKms({ kms, runtime, ttlMs: HOUR, maxStaleMs: 0, ...limits })
    const key = await keys.active(OPTIONS.context, { durable: false })
    const encryptForMs = limits.encryptForMs ?? DATA_KEY_OPTIONS.encryptForMs.standard
    expect(mayEncryptAt(key.header.createdAtMs, encryptForMs, NOW + age - 1)).toBe(true)
    runtime.nowMs = NOW + age
    expect(await keys.active(OPTIONS.context, { durable: false })).not.toBe(key)
  })

  it('R4 age never stops a reader', async () => {
    const { cipher, kms, runtime } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    runtime.nowMs = NOW + 365 * 24 * HOUR
    expect(await cipher.decrypt(envelope, OPTIONS)).toEqual(plaintext)
    expect(await coldReader(kms).decrypt(envelope, OPTIONS)).toEqual(plaintext)
  })
})

describe('R4 caps of one data key', () => {
  it.each([1, 2, 7])(
    'R4 reuse %i: k times as many encrypts make exactly k data keys',
    async (reuse) => {
      const kms = new CountingKms(localKms())
      const { cipher } = setUp({ kms, maxMessages: reuse })
      const keys = new Map<string, number>()
      for (let k = 1; k <= 5; k++) {
        for (let i = 0; i < reuse; i++) {
          const key = keyOf(await cipher.encrypt(plaintext, OPTIONS))
          keys.set(key, (keys.get(key) ?? 0) + 1)
        }
        expect(kms.calls).toEqual(Array.from({ length: k }, () => 'generate'))
      }
      expect([...keys.values()]).toEqual([reuse, reuse, reuse, reuse, reuse])
    },
  )

  it('R4 the cap holds for calls at once, where the last message is wanted twice', async () => {
    const kms = new CountingKms(localKms())
    const { cipher } = setUp({ kms, maxMessages: 10 })
    await cipher.encrypt(plaintext, OPTIONS)
    const envelopes = await Promise.all(
      Array.from({ length: 30 }, () => cipher.encrypt(plaintext, OPTIONS)),
    )
    const counts = new Map<string, number>()
    for (const key of envelopes.map(keyOf)) counts.set(key, (counts.get(key) ?? 0) + 1)
    expect([...counts.values()].reduce((sum, one) => sum + one, 0)).toBe(30)
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(10)
  })

  it('R4 cache: false makes one data key for each message', async () => {
    const kms = new CountingKms(localKms())
    const { cipher } = setUp({ kms, cache: false })
    const envelopes: Uint8Array[] = []
    for (let i = 0; i < 3; i++) envelopes.push(await cipher.encrypt(plaintext, OPTIONS))
    envelopes.push(await through(cipher.encryptStream(OPTIONS), plaintext))
    const items = Array.from({ length: 3 }, () => ({ plaintext, ...OPTIONS }))
    for (const one of await cipher.encryptMany(items)) if (one.ok) envelopes.push(one.value)
    expect(envelopes).toHaveLength(7)
    expect(new Set(envelopes.map(keyOf)).size).toBe(7)
    expect(kms.calls).toEqual(envelopes.map(() => 'generate'))
  })
})

describe('R4 size of a record', () => {
  it.each([
    [1_048_576, {}],
    [10, { maxRecordBytes: 10 }],
    [0, { maxRecordBytes: 0 }],
  ])(
    'R4 %i bytes at most: one more is refused and never becomes another kind',
    async (most, limits) => {
      for (const form of ['inline', undefined] as const) {
        const kms = new CountingKms(new PlainKms())
        const { cipher } = setUp({ kms, ...limits, ...(form !== undefined && { form }) })
        const large = new Uint8Array(most + 1)
        expect(await codeOfAsync(() => cipher.encrypt(large, OPTIONS))).toBe(
          'ERR_ENVELOPE_TOO_LARGE',
        )
        const [outcome] = await cipher.encryptMany([{ plaintext: large, ...OPTIONS }])
        expect(outcome?.ok === false && outcome.error.code).toBe('ERR_ENVELOPE_TOO_LARGE')
        expect(kms.calls).toEqual([])
        const fits = await cipher.encrypt(large.subarray(1), OPTIONS)
        expect(EncryptedEnvelope.parse(fits).kind).toBe('record')
      }
    },
  )
})

describe('R4 options out of range', () => {
  const kms = new PlainKms()
  const code = (options: object): string | undefined =>
    codeOf(() => new EnvelopeCipher({ kms, ...options }))

  it.each([
    ['encryptForMs', 1, 24 * HOUR],
    ['maxMessages', 1, 2 ** 32],
    ['callTimeoutMs', 1, 900_000],
    ['maxRecordBytes', 0, 2 ** 30],
    ['maxWraps', 1, 16],
  ])('R4 %s is an integer from %i to %i', (name, least, most) => {
    for (const value of [least, most])
      expect(code({ [name]: value }), String(value)).toBeUndefined()
    for (const value of [least - 1, most + 1, -1, 1.5, NaN, Infinity, -Infinity, '5', 5n]) {
      expect(code({ [name]: value }), String(value)).toBe('ERR_KMS_CONFIG')
    }
  })

  it.each([
    ['ttlMs', 1, HOUR],
    ['maxEntries', 0, 1_000_000],
    ['maxStaleMs', 0, 24 * HOUR],
    ['maxStaleWriteMs', 0, 24 * HOUR],
  ])('R4 cache.%s is an integer from %i to %i', (name, least, most) => {
    for (const value of [least, most]) expect(code({ cache: { [name]: value } })).toBeUndefined()
    for (const value of [least - 1, most + 1, 1.5, NaN, Infinity, '5']) {
      expect(code({ cache: { [name]: value } }), String(value)).toBe('ERR_KMS_CONFIG')
    }
  })
})

describe('a record over maxRecordBytes', () => {
  it('is refused to read, cold or warm, before any KMS call, and one at the limit is not', async () => {
    const inner = new PlainKms()
    const writer = setUp({ kms: inner }).cipher
    const [fits, large] = [
      await writer.encrypt(sequence(100), OPTIONS),
      await writer.encrypt(sequence(101), OPTIONS),
    ]
    const kms = new CountingKms(inner)
    const reader = coldReader(kms, { maxRecordBytes: 100 })
    const code = 'ERR_WIRE_LIMIT_EXCEEDED'
    const isRefused = async (): Promise<void> => {
      expect(await codeOfAsync(() => reader.decrypt(large, OPTIONS))).toBe(code)
      expect(await codeOfAsync(() => reader.decryptStored(large, { aad: OPTIONS.aad }))).toBe(code)
      const [outcome] = await reader.decryptMany([{ envelope: large, ...OPTIONS }])
      expect(outcome).toMatchObject({ error: { code } })
    }
    await isRefused()
    expect(kms.calls).toEqual([])
    expect(await reader.decrypt(fits, OPTIONS)).toEqual(sequence(100))
    await isRefused()
    expect(kms.calls).toEqual(['unwrap'])
  })

  it('is not a limit of streams that are opened in memory', async () => {
    const { cipher } = setUp({ maxRecordBytes: 100 })
    const stream = await through(cipher.encryptStream(OPTIONS), sequence(500))
    const options = { ...OPTIONS, kinds: ['stream'] } as const
    expect(await cipher.decrypt(stream, options)).toEqual(sequence(500))
  })
})
