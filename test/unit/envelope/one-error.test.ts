import { describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  type EncryptionContext,
  isKmsError,
  type KeyManagementService,
  KmsError,
} from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { utf8 } from '../../vectors/hex.ts'
import { rawHeader, rawMessage } from '../../vectors/raw-header.ts'
import {
  coldReader,
  CONTEXT,
  drain,
  localKms,
  OPTIONS,
  PlainKms,
  sequence,
  setUp,
  through,
} from '../wire/fixture.ts'
import { changed, CountingKms, flipped } from './fixture.ts'

const KINDS = ['record', 'stream'] as const
const plaintext = utf8('4111 1111')

interface Maps {
  readonly context?: EncryptionContext
  readonly aad?: EncryptionContext
}

/** The error of each way to read a message in memory or as a stream. */
async function errorsOf(
  kms: KeyManagementService,
  message: Uint8Array,
  options: Maps = OPTIONS,
): Promise<unknown[]> {
  const errors: unknown[] = []
  for (const cache of [{}, { cache: false }]) {
    const call = { ...options, kinds: KINDS }
    errors.push(
      await coldReader(kms, cache)
        .decrypt(message, call)
        .then(
          () => 'opened',
          (error: unknown) => error,
        ),
    )
    const [outcome] = await coldReader(kms, cache).decryptMany(
      [{ envelope: message, ...options }],
      {
        kinds: KINDS,
      },
    )
    errors.push(outcome?.ok === false ? outcome.error : 'opened')
    const { error } = await drain(coldReader(kms, cache).decryptStream(call), [message])
    errors.push(error ?? 'opened')
  }
  return errors
}

/** All that a caller can see of an error but the stack. */
function visible(error: unknown): unknown {
  if (!isKmsError(error)) return error
  const keys = Reflect.ownKeys(error).filter((key) => key !== 'stack')
  return [
    Object.getPrototypeOf(error) === KmsError.prototype,
    String(error),
    keys.map((key) => [String(key), String(Reflect.get(error, key))]),
    error.toJSON(),
  ]
}

const EXPECTED = visible(new KmsError('ERR_DECRYPT_FAILED'))

describe('R11 one decrypt error', () => {
  it('R11 wrong key, tag, commitment, context, aad and truncation look the same', async () => {
    const kms = localKms()
    const { cipher } = setUp({ kms })
    const messages = [
      await cipher.encrypt(plaintext, OPTIONS),
      await through(cipher.encryptStream(OPTIONS), sequence(20_000)),
    ]
    const otherKey = createLocalKms({ versions: [{ version: 1, key: sequence(32, 77) }] })
    for (const message of messages) {
      const { headBytes } = EncryptedEnvelope.parse(message)
      const causes: Record<string, () => Promise<unknown[]>> = {
        'wrong KEK': () => errorsOf(otherKey, message),
        salt: () => errorsOf(kms, flipped(message, 4)),
        commitment: () => errorsOf(kms, flipped(message, 36)),
        'creation time': () => errorsOf(kms, flipped(message, 75)),
        'wrapped DEK': () => errorsOf(kms, flipped(message, headBytes - 1)),
        'nonce or stream salt': () => errorsOf(kms, flipped(message, headBytes)),
        tag: () => errorsOf(kms, flipped(message, -1)),
        truncation: () => errorsOf(kms, message.slice(0, -1)),
        context: () => errorsOf(kms, message, { ...OPTIONS, context: { tenant: 'other' } }),
        'context with more': () =>
          errorsOf(kms, message, { ...OPTIONS, context: { ...CONTEXT, more: '1' } }),
        'no context': () => errorsOf(kms, message, { aad: OPTIONS.aad }),
        aad: () => errorsOf(kms, message, { ...OPTIONS, aad: { row: '43' } }),
        'no aad': () => errorsOf(kms, message, { context: CONTEXT }),
      }
      for (const [name, cause] of Object.entries(causes)) {
        const errors = await cause()
        expect(errors, name).toHaveLength(6)
        for (const error of errors) expect(visible(error), name).toEqual(EXPECTED)
      }
    }
  })

  it('R11 an invalid ciphertext that the KMS reports looks the same, whatever it says', async () => {
    const { cipher, kms } = setUp()
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    kms.onUnwrap = () => {
      throw new KmsError('ERR_DECRYPT_FAILED', {
        message: 'the wrap does not belong to this key',
        provider: 'plain',
        operation: 'Decrypt',
        status: 400,
        requestId: 'r-1',
        retryAfterMs: 5,
        retryable: true,
        cause: new Error('InvalidCiphertextException'),
      })
    }
    for (const error of await errorsOf(kms, envelope)) expect(visible(error)).toEqual(EXPECTED)
  })

  it('R11 a header that failed a moment ago is refused from memory with the same error', async () => {
    const kms = new CountingKms(localKms())
    const { cipher } = setUp({ kms })
    const poisoned = flipped(await cipher.encrypt(plaintext, OPTIONS), 36)
    const reader = coldReader(kms)
    for (let i = 0; i < 3; i++) {
      const error: unknown = await reader
        .decrypt(poisoned, OPTIONS)
        .catch((caught: unknown) => caught)
      expect(visible(error)).toEqual(EXPECTED)
    }
    expect(kms.count('unwrap')).toBe(1)
  })
})

describe('R8, R11 a header that alone is at fault costs no KMS call', () => {
  const header = (wraps: number, stored = false): Uint8Array =>
    rawHeader({
      ...(stored && { stored: rawContext() }),
      wraps: Array.from({ length: wraps }, (_, i) => {
        return {
          provider: 'plain',
          kekId: i === 0 ? 'app' : `k${String(i)}`,
          wrapped: sequence(32),
        }
      }),
    })
  const rawContext = (): Uint8Array =>
    new Uint8Array([0, 1, 0, 6, ...utf8('tenant'), 0, 4, ...utf8('acme')])
  const body = sequence(64)
  const message = (kind: number, part: Uint8Array): Uint8Array => rawMessage(kind, part, body)
  const oversized = rawHeader({
    wraps: Array.from({ length: 16 }, (_, i) => {
      return { provider: 'plain', kekId: `k${String(i)}`, wrapped: sequence(6_144) }
    }),
  })

  it.each([
    [
      'unknown key',
      message(1, rawHeader({ wraps: [{ provider: 'plain', kekId: 'foreign' }] })),
      'ERR_ENVELOPE_UNKNOWN_KEY',
    ],
    ['version', changed(message(1, header(1)), 2, 2), 'ERR_WIRE_VERSION_REFUSED'],
    ['kind that does not exist', message(3, header(1)), 'ERR_WIRE_KIND_REFUSED'],
    ['kind that is not accepted', message(0x20, header(1)), 'ERR_WIRE_KIND_REFUSED'],
    ['six wraps', message(1, header(6)), 'ERR_WIRE_LIMIT_EXCEEDED'],
    ['255 wraps', message(1, header(255)), 'ERR_WIRE_LIMIT_EXCEEDED'],
    ['oversized header', message(1, oversized), 'ERR_WIRE_LIMIT_EXCEEDED'],
    ['stored context that differs', message(1, header(1, true)), 'ERR_DECRYPT_FAILED'],
  ])('R8 %s', async (name, hostile, code) => {
    const kms = new CountingKms(new PlainKms())
    const options = { context: { tenant: 'other' }, aad: OPTIONS.aad }
    const maxWraps = name === 'oversized header' ? 16 : 5
    for (const cache of [{ maxWraps }, { maxWraps, cache: false }]) {
      const reader = coldReader(kms, cache)
      const single: unknown = await reader
        .decrypt(hostile, { ...options, kinds: KINDS })
        .catch((error: unknown) => error)
      expect(isKmsError(single) && single.code).toBe(code)
      const [outcome] = await reader.decryptMany([{ envelope: hostile, ...options }])
      expect(outcome?.ok === false && outcome.error.code).toBe(code)
      const { error } = await drain(reader.decryptStream({ ...options, kinds: KINDS }), [hostile])
      expect(isKmsError(error) && error.code).toBe(code)
    }
    expect(kms.calls).toEqual([])
  })

  it('R8 the counter counts: a header without fault costs one call', async () => {
    const kms = new CountingKms(new PlainKms())
    const reader = coldReader(kms)
    await reader.decrypt(message(1, header(1)), {}).catch(() => undefined)
    expect(kms.calls).toEqual(['unwrap'])
  })
})
