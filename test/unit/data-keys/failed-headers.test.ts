// W6.5: what one bad header may cost, whichever way it comes.
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { CachedKms, EnvelopeCipher, KmsError } from '../../../src/index.ts'
import { codeOfAsync } from '../../vectors/hex.ts'
import { CountingKms, flipped } from '../envelope/fixture.ts'
import {
  type Bytes,
  coldReader,
  FakeRuntime,
  OPTIONS,
  PlainKms,
  sequence,
} from '../wire/fixture.ts'

const FAILED = 'ERR_DECRYPT_FAILED'
let inner: PlainKms
let kms: CountingKms
let good: Bytes
/** Its wrap opens, and to another DEK. */
let bad: Bytes

beforeEach(async () => {
  inner = new PlainKms()
  good = await coldReader(inner).encrypt(sequence(9), OPTIONS)
  bad = flipped(good, good.length - 40 - 9 - 1)
  kms = new CountingKms(inner)
})

describe.each(['cached', 'uncached'] as const)('a bad header, %s', (name) => {
  const runtime = new FakeRuntime()
  const reader = (): EnvelopeCipher =>
    new EnvelopeCipher({
      keys:
        name === 'cached'
          ? new CachedKms({ kms, runtime })
          : new CachedKms({ maxEntries: 0, kms, runtime }),
    })

  it('costs one KMS call in ten seconds, read, read in a batch or rewrapped', async () => {
    const cipher = reader()
    const item = { envelope: bad, ...OPTIONS }
    for (let round = 0; round < 2; round++) {
      expect(await codeOfAsync(() => cipher.rewrap(bad, OPTIONS))).toBe(FAILED)
      expect(await codeOfAsync(() => cipher.rewrap(bad, { ...OPTIONS, verify: 'kms' }))).toBe(
        FAILED,
      )
      expect(await codeOfAsync(() => cipher.decrypt(bad, OPTIONS))).toBe(FAILED)
      const outcomes = await cipher.decryptMany([item, item])
      expect(outcomes).toMatchObject([{ error: { code: FAILED } }, { error: { code: FAILED } }])
    }
    expect(kms.calls).toEqual(['unwrap'])
    expect(await cipher.decrypt(good, OPTIONS)).toEqual(sequence(9))
    runtime.nowMs += 10_000
    kms.calls.length = 0
    expect(await codeOfAsync(() => cipher.rewrap(bad, OPTIONS))).toBe(FAILED)
    expect(kms.calls).toEqual(['unwrap'])
  })

  // A header names the version of its key, which may be unknown or disabled, and a context that a key policy may deny.
  it.each(['ERR_KMS_KEY_NOT_FOUND', 'ERR_KMS_KEY_DISABLED', 'ERR_KMS_ACCESS_DENIED'] as const)(
    'R8 costs one KMS call in ten seconds where the KMS answers %s, and says so each time',
    async (code) => {
      const cipher = reader()
      const refuse = (): void => {
        throw new KmsError(code)
      }
      for (const first of ['decrypt', 'rewrap'] as const) {
        cipher.clear()
        kms.calls.length = 0
        inner.onUnwrap = refuse
        for (let round = 0; round < 3; round++) {
          expect(await codeOfAsync(() => cipher[first](good, OPTIONS))).toBe(code)
          expect(await codeOfAsync(() => cipher.decrypt(good, OPTIONS))).toBe(code)
          expect(await codeOfAsync(() => cipher.rewrap(good, OPTIONS))).toBe(code)
          const [outcome] = await cipher.decryptMany([{ envelope: good, ...OPTIONS }])
          expect(outcome).toMatchObject({ error: { code } })
        }
        expect(kms.calls).toEqual(['unwrap'])
        inner.onUnwrap = () => undefined
        runtime.nowMs += 9_999
        expect(await codeOfAsync(() => cipher.decrypt(good, OPTIONS))).toBe(code)
        runtime.nowMs += 1
        expect(await cipher.decrypt(good, OPTIONS)).toEqual(sequence(9))
      }
    },
  )

  it.each([{}, { verify: 'kms' }] as const)(
    'is not remembered where the key that it is rewrapped under is missing: %o',
    async (verify) => {
      const cipher = reader()
      const missing = (): Promise<never> => Promise.reject(new KmsError('ERR_KMS_KEY_NOT_FOUND'))
      kms.wrapDataKey = missing
      kms.rewrapDataKey = missing
      expect(await codeOfAsync(() => cipher.rewrap(good, { ...OPTIONS, ...verify }))).toBe(
        'ERR_KMS_KEY_NOT_FOUND',
      )
      expect(await cipher.decrypt(good, OPTIONS)).toEqual(sequence(9))
    },
  )

  it('is not remembered for a KMS that lies about new wraps', async () => {
    const cipher = reader()
    kms.wrapDataKey = async () => [
      { provider: 'plain', kekId: 'app', kekVersion: '1', wrapped: sequence(32, 7) },
    ]
    expect(await codeOfAsync(() => cipher.rewrap(good, OPTIONS))).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(await cipher.decrypt(good, OPTIONS)).toEqual(sequence(9))
  })

  it('is forgotten by clear', async () => {
    const cipher = reader()
    await codeOfAsync(() => cipher.decrypt(bad, OPTIONS))
    cipher.clear()
    await codeOfAsync(() => cipher.decrypt(bad, OPTIONS))
    expect(kms.calls).toEqual(['unwrap', 'unwrap'])
  })

  it('is hashed once in a batch, whatever the batch repeats', async () => {
    const cipher = reader()
    const digest = vi.spyOn(crypto.subtle, 'digest')
    const one = { envelope: good, ...OPTIONS }
    await cipher.decryptMany([one])
    const once = digest.mock.calls.length
    cipher.clear()
    digest.mockClear()
    await cipher.decryptMany(Array.from({ length: 20 }, () => one))
    expect(digest.mock.calls.length).toBe(once)
    digest.mockRestore()
  })
})

describe.each([
  ['inside the KMS', {}],
  ['unproven', { verify: 'kms' }],
] as const)('a rewrap %s that the KMS refuses', (_, how) => {
  it.each([
    'ERR_KMS_KEY_NOT_FOUND',
    'ERR_KMS_KEY_DISABLED',
    'ERR_KMS_ACCESS_DENIED',
    'ERR_KMS_RESPONSE_INVALID',
    FAILED,
  ] as const)('is refused from memory for ten seconds: %s', async (code) => {
    const runtime = new FakeRuntime()
    const refusing = Object.assign(new PlainKms(), {
      capabilities: { ...inner.capabilities, rewrapsInside: true },
      rewrapDataKey: () => Promise.reject(new KmsError(code)),
    })
    const counting = new CountingKms(refusing)
    const cipher = new EnvelopeCipher({ kms: counting, runtime })
    const options = { context: OPTIONS.context, ...how }
    for (let i = 0; i < 20; i++) {
      expect(await codeOfAsync(() => cipher.rewrap(good, options))).toBe(code)
    }
    expect(counting.calls).toEqual(['rewrap'])
    runtime.nowMs += 10_000
    expect(await codeOfAsync(() => cipher.rewrap(good, options))).toBe(code)
    expect(counting.calls).toEqual(['rewrap', 'rewrap'])
    // The key that is missing may be the new one: a reader is not hurt.
    if (code !== FAILED) expect(await cipher.decrypt(good, OPTIONS)).toEqual(sequence(9))
  })
})

it('an outage of a rewrap is not remembered', async () => {
  const failing = Object.assign(new PlainKms(), {
    capabilities: { ...inner.capabilities, rewrapsInside: true },
    rewrapDataKey: () => Promise.reject(new KmsError('ERR_KMS_UNAVAILABLE')),
  })
  const counting = new CountingKms(failing)
  const cipher = new EnvelopeCipher({ kms: counting })
  for (let i = 0; i < 3; i++) {
    const rewrap = (): Promise<unknown> => cipher.rewrap(good, { context: OPTIONS.context })
    expect(await codeOfAsync(rewrap)).toBe('ERR_KMS_UNAVAILABLE')
  }
  expect(counting.calls).toEqual(['rewrap', 'rewrap', 'rewrap'])
})
