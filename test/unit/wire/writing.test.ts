import { describe, expect, it } from 'vitest'
import { mayEncryptAt } from '../../../src/data-keys/data-key-limits.ts'
import { DATA_KEY_OPTIONS } from '../../../src/data-keys/index.ts'
import { EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { codeOf, codeOfAsync, toHex, utf8 } from '../../vectors/hex.ts'
import { coldReader, NOW, OPTIONS, PlainKms, sequence, setUp, through } from './fixture.ts'

const HOUR = 3_600_000
const plaintext = utf8('4111 1111')
const commitmentOf = (envelope: Uint8Array): string =>
  toHex(EncryptedEnvelope.parse(envelope).commitment)

describe('age of a data key', () => {
  it('W5.1: is not used for writing after encryptFor, one hour by default', async () => {
    // The cache keeps it longer than that: the age rule is what ends its use.
    const { cipher, runtime } = setUp({ cache: { ttlMs: HOUR } })
    const first = commitmentOf(await cipher.encrypt(plaintext, OPTIONS))
    runtime.nowMs = NOW + HOUR - 1
    expect(commitmentOf(await cipher.encrypt(plaintext, OPTIONS))).toBe(first)
    runtime.nowMs = NOW + HOUR
    expect(commitmentOf(await cipher.encrypt(plaintext, OPTIONS))).not.toBe(first)
  })

  it('W5.1: encryptFor can be shorter', async () => {
    const { cipher, runtime } = setUp({ encryptForMs: 1_000 })
    const first = commitmentOf(await cipher.encrypt(plaintext, OPTIONS))
    runtime.nowMs = NOW + 999
    expect(commitmentOf(await cipher.encrypt(plaintext, OPTIONS))).toBe(first)
    runtime.nowMs = NOW + 1_000
    expect(commitmentOf(await cipher.encrypt(plaintext, OPTIONS))).not.toBe(first)
  })

  it('W5.2: encryptFor is at most 24 hours', () => {
    const kms = new PlainKms()
    const configured = (encryptForMs: number): string | undefined =>
      codeOf(() => new EnvelopeCipher({ kms, encryptForMs }))
    expect(configured(24 * HOUR)).toBeUndefined()
    for (const encryptForMs of [24 * HOUR + 1, Infinity, NaN, 0, -1, 0.5]) {
      expect(configured(encryptForMs), String(encryptForMs)).toBe('ERR_KMS_CONFIG')
    }
  })

  it('W5.3: a data key from more than five minutes in the future is not used for writing', async () => {
    const { cipher, runtime } = setUp({ cache: { ttlMs: HOUR } })
    const first = commitmentOf(await cipher.encrypt(plaintext, OPTIONS))
    // The clock was wrong and is set back: what was made before lies in the future now.
    runtime.nowMs = NOW - 300_001
    const second = commitmentOf(await cipher.encrypt(plaintext, OPTIONS))
    expect(second).not.toBe(first)
  })

  it('W5.3: a data key from the future or from before 2020 refuses to encrypt', () => {
    const start = Date.UTC(2020, 0, 1)
    for (const [createdAtMs, nowMs, may] of [
      [NOW, NOW - 300_000, true],
      [NOW, NOW - 300_001, false],
      [NOW, 0, false],
      [start, start, true],
      [start - 1, start, false],
      [0, 0, false],
    ] as const) {
      expect(mayEncryptAt(createdAtMs, HOUR, nowMs), String([createdAtMs, nowMs])).toBe(may)
    }
  })

  it('W5.3: nothing is encrypted while the clock stands before 2020', async () => {
    const { cipher, runtime } = setUp()
    runtime.nowMs = Date.UTC(2020, 0, 1) - 1
    expect(await codeOfAsync(() => cipher.encrypt(plaintext, OPTIONS))).toBe('ERR_KMS_CONFIG')
    runtime.nowMs = Date.UTC(2020, 0, 1)
    expect(await codeOfAsync(() => cipher.encrypt(plaintext, OPTIONS))).toBeUndefined()
  })

  it('W5.4: never decides a decrypt', async () => {
    const { cipher, kms, runtime } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    for (const nowMs of [0, NOW - 50 * 365 * 24 * HOUR, NOW + 50 * 365 * 24 * HOUR]) {
      runtime.nowMs = nowMs
      const reader = coldReader(kms, { runtime })
      expect(await reader.decrypt(envelope, OPTIONS)).toEqual(plaintext)
      expect(await reader.decrypt(envelope, OPTIONS)).toEqual(plaintext)
      const [outcome] = await reader.decryptMany([{ envelope, ...OPTIONS }])
      expect(outcome).toEqual({ ok: true, value: plaintext })
    }
  })
})

describe('count of messages', () => {
  it('W5.12: a cache encrypts no more messages under a data key than maxMessages', async () => {
    const { cipher, kms } = setUp({ maxMessages: 3 })
    const commitments: string[] = []
    for (let i = 0; i < 7; i++)
      commitments.push(commitmentOf(await cipher.encrypt(plaintext, OPTIONS)))
    const counts = new Map<string, number>()
    for (const one of commitments) counts.set(one, (counts.get(one) ?? 0) + 1)
    expect([...counts.values()]).toEqual([3, 3, 1])
    expect(kms.calls).toEqual(['generate', 'generate', 'generate'])
  })

  it('W5.12: streams and batches count too', async () => {
    const { cipher } = setUp({ maxMessages: 2 })
    const stream = (): Promise<Uint8Array> => through(cipher.encryptStream(OPTIONS), plaintext)
    const first = commitmentOf(await stream())
    const items = [1, 2, 3].map(() => ({ plaintext, ...OPTIONS }))
    const outcomes = await cipher.encryptMany(items)
    const batch = outcomes.map((one) => (one.ok ? commitmentOf(one.value) : one.error.code))
    expect(batch[0]).toBe(first)
    expect(batch.filter((one) => one === first)).toHaveLength(1)
  })

  it('W5.12: maxMessages is 1 to 2^32, and there is no limit without it', () => {
    const kms = new PlainKms()
    const configured = (maxMessages: number | undefined): string | undefined =>
      codeOf(() => new EnvelopeCipher({ kms, maxMessages: maxMessages! }))
    for (const maxMessages of [undefined, 1, 2 ** 32])
      expect(configured(maxMessages)).toBeUndefined()
    for (const maxMessages of [2 ** 32 + 1, Infinity, NaN, 0, 1.5]) {
      expect(configured(maxMessages), String(maxMessages)).toBe('ERR_KMS_CONFIG')
    }
    expect(DATA_KEY_OPTIONS.maxMessages.standard).toBe(Infinity)
  })
})

describe('nonces, salts and sizes', () => {
  it('W4.7: draws a prefix once and 12 bytes for each record, and writes them', async () => {
    const { cipher, runtime } = setUp()
    const nonces: string[] = []
    for (let i = 0; i < 5; i++) {
      const envelope = await cipher.encrypt(plaintext, OPTIONS)
      const { headBytes } = EncryptedEnvelope.parse(envelope)
      nonces.push(toHex(envelope.slice(headBytes, headBytes + 24)))
    }
    expect(new Set(nonces).size).toBe(5)
    const [prefix, ...suffixes] = runtime.drawn.filter(({ length }) => length === 12).map(toHex)
    expect(nonces).toEqual(suffixes.map((suffix) => prefix! + suffix))
  })

  it('W4.7: draws the suffix in the turn of the call, when the data key is at hand', async () => {
    const { cipher, runtime } = setUp()
    await cipher.encrypt(plaintext, OPTIONS)
    const before = runtime.drawn.length
    const pending = cipher.encrypt(plaintext, OPTIONS)
    expect(runtime.drawn.length).toBe(before + 1)
    await pending
  })

  it('W4.12: draws 24 bytes for each stream, and writes them', async () => {
    const { cipher, runtime } = setUp()
    const salts: string[] = []
    for (let i = 0; i < 3; i++) {
      const envelope = await through(cipher.encryptStream(OPTIONS), plaintext)
      const { headBytes } = EncryptedEnvelope.parse(envelope)
      salts.push(toHex(envelope.slice(headBytes, headBytes + 24)))
    }
    expect(new Set(salts).size).toBe(3)
    expect(runtime.drawn.filter(({ length }) => length === 24).map(toHex)).toEqual(salts)
  })

  it('W4.9: refuses a record above the limit, 1 MiB by default, before any KMS call', async () => {
    const { cipher, kms } = setUp()
    const large = new Uint8Array(1_048_577)
    expect(await codeOfAsync(() => cipher.encrypt(large, OPTIONS))).toBe('ERR_ENVELOPE_TOO_LARGE')
    const [outcome] = await cipher.encryptMany([{ plaintext: large }])
    expect(outcome).toMatchObject({ ok: false, error: { code: 'ERR_ENVELOPE_TOO_LARGE' } })
    expect(kms.calls).toEqual([])
    const exact = await cipher.encrypt(large.subarray(1), OPTIONS)
    expect(EncryptedEnvelope.parse(exact).kind).toBe('record')
    const small = coldReader(kms, { maxRecordBytes: 8 })
    expect(await codeOfAsync(() => small.encrypt(plaintext))).toBe('ERR_ENVELOPE_TOO_LARGE')
  })

  it('W5.7: after clear() nothing that was held before is used', async () => {
    const { cipher, kms } = setUp()
    const before = await cipher.encrypt(plaintext, OPTIONS)
    await cipher.decrypt(before, OPTIONS)
    cipher.clear()
    kms.calls.length = 0
    kms.dek = sequence(32, 5)
    const after = await cipher.encrypt(plaintext, OPTIONS)
    expect(commitmentOf(after)).not.toBe(commitmentOf(before))
    expect(await cipher.decrypt(before, OPTIONS)).toEqual(plaintext)
    expect(kms.calls).toEqual(['generate', 'unwrap'])
  })

  it('has the sizes of section 8', async () => {
    const { cipher, kms } = setUp({ requiredContextKeys: ['tenant'] })
    // 273 bytes of wrap, as one of AWS has them.
    kms.kekIds = ['k'.repeat(75 + 'aws-kms'.length - 'plain'.length + 184 - 32 - 1)]
    const record = await cipher.encrypt(plaintext, OPTIONS)
    expect(record.length - plaintext.length).toBe(391)
    const stored = await coldReader(kms).encrypt(plaintext, OPTIONS)
    expect(stored.length - plaintext.length).toBe(391 + 18)
    const stream = await through(cipher.encryptStream(OPTIONS), plaintext)
    expect(stream.length - plaintext.length).toBe(423)
    const long = await through(cipher.encryptStream(OPTIONS), sequence(40_000))
    expect(long.length - 40_000).toBe(423 + 2 * 16)
    const envelope = EncryptedEnvelope.parse(record)
    expect(envelope.toDataKeyRecord().length).toBe(351)
    expect(envelope.toReference().length - plaintext.length).toBe(76)
    expect(EncryptedEnvelope.parse(stream).toReference().length - plaintext.length).toBe(108)
  })
})
