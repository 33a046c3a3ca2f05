import { describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  type EncryptionContext,
  type EnvelopeCipher,
} from '../../../src/index.ts'
import { codeOfAsync } from '../../vectors/hex.ts'
import {
  coldReader,
  drain,
  FakeRuntime,
  OPTIONS,
  PlainKms,
  sequence,
  setUp,
  through,
} from '../wire/fixture.ts'

type Maps = Record<'context' | 'aad', Record<string, string>>

const KINDS = ['record', 'stream'] as const
const original = sequence(20_000)
const maps = (): Maps => ({ context: { tenant: 'acme' }, aad: { row: '42' } })
const spoil = (bytes: Uint8Array, options: Maps): void => {
  bytes.fill(0xee)
  options.context['tenant'] = 'other'
  options.context['more'] = '1'
  options.aad['row'] = '43'
  options.aad['more'] = '1'
}

/** Node's own kind, whose `slice` copies nothing. */
const COPIES = {
  Uint8Array: (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes),
  Buffer: (bytes: Uint8Array): Uint8Array => Buffer.from(bytes),
} as const
type Kind = keyof typeof COPIES

describe.each([
  ['cold', 'Uint8Array'],
  ['warm', 'Uint8Array'],
  ['cold', 'Buffer'],
  ['warm', 'Buffer'],
] as [string, Kind][])(
  'the caller uses its buffers again at once: a %s cache, a %s',
  (state, kind) => {
    const copied = COPIES[kind]

    async function ready(): Promise<{ cipher: EnvelopeCipher; kms: PlainKms }> {
      const { cipher, kms } = setUp()
      if (state === 'warm') await cipher.encrypt(original, OPTIONS)
      return { cipher, kms }
    }

    it('R3 encrypt is unaffected', async () => {
      const { cipher, kms } = await ready()
      const [bytes, options] = [copied(original), maps()]
      const pending = cipher.encrypt(bytes, options)
      spoil(bytes, options)
      expect(await coldReader(kms).decrypt(await pending, OPTIONS)).toEqual(original)
    })

    it('R3 decrypt is unaffected, of a record and of a stream in memory', async () => {
      const { cipher } = await ready()
      for (const message of [
        await cipher.encrypt(original, OPTIONS),
        await through(cipher.encryptStream(OPTIONS), original),
      ]) {
        const reader = state === 'warm' ? cipher : coldReader(new PlainKms())
        const [bytes, options] = [copied(message), maps()]
        const pending = reader.decrypt(bytes, { ...options, kinds: KINDS })
        spoil(bytes, options)
        expect(await pending).toEqual(original)
      }
    })

    it('R3 streams are unaffected by a change of the maps, and of a piece once it is taken', async () => {
      const { cipher } = await ready()
      const message = await through(cipher.encryptStream(OPTIONS), original)
      const runs = [
        ['encryptStream', original],
        ['decryptStream', message],
      ] as const
      for (const [method, input] of runs) {
        const options = maps()
        const transform = cipher[method](options)
        spoil(new Uint8Array(0), options)
        const buffer = copied(new Uint8Array(1_000))
        function* pieces(): Generator<Uint8Array> {
          for (let at = 0; at < input.length; at += buffer.length) {
            const piece = buffer.subarray(0, Math.min(buffer.length, input.length - at))
            piece.set(input.subarray(at, at + piece.length))
            yield piece
            buffer.fill(0xee)
          }
        }
        const { released, error } = await drain(transform, pieces())
        expect(error).toBeUndefined()
        const back =
          method === 'decryptStream'
            ? released
            : await through(cipher.decryptStream(OPTIONS), released)
        expect(Buffer.compare(back, original)).toBe(0)
      }
    })

    it('R3 rewrap is unaffected', async () => {
      const { cipher, kms } = await ready()
      const envelope = await cipher.encrypt(original, OPTIONS)
      const bytes = copied(envelope)
      const pending = cipher.rewrap(bytes, { context: { tenant: 'acme' } })
      bytes.fill(0xee)
      expect(await coldReader(kms).decrypt(await pending, OPTIONS)).toEqual(original)
    })
  },
)

it.each(['Uint8Array', 'Buffer'] as const)(
  'what is parsed of a %s stays as it was',
  async (kind) => {
    const { cipher } = setUp()
    const envelope = await cipher.encrypt(original, OPTIONS)
    const bytes = COPIES[kind](envelope)
    const read = EncryptedEnvelope.parse(bytes)
    bytes.fill(0xee)
    expect(read).toEqual(EncryptedEnvelope.parse(envelope))
  },
)

describe('a buffer that held an envelope and is used again', () => {
  it.each(['Uint8Array', 'Buffer'] as const)(
    'R14 does not poison the cache: a %s',
    async (kind) => {
      const { cipher, kms } = setUp()
      const messages = [await cipher.encrypt(original, OPTIONS)]
      messages.push(await coldReader(kms, { runtime: laterRuntime() }).encrypt(original, OPTIONS))
      const reader = coldReader(kms)
      const buffer = COPIES[kind](new Uint8Array(messages[0]!.length))
      for (let round = 0; round < 3; round++) {
        for (const message of messages) {
          buffer.set(message)
          expect(await reader.decrypt(buffer, OPTIONS)).toEqual(original)
          buffer.fill(0xee)
          expect(await codeOfAsync(() => reader.decrypt(buffer, OPTIONS))).toBe(
            'ERR_WIRE_MALFORMED',
          )
        }
      }
      // Two data keys were unwrapped, once each: what is held does not live in the caller's buffer.
      expect(kms.calls.filter((call) => call === 'unwrap')).toHaveLength(2)
    },
  )

  it('R14 maps that are changed later do not change what is held', async () => {
    const { cipher } = setUp()
    const context: Record<string, string> = { tenant: 'acme' }
    const envelope = await cipher.encrypt(original, { context })
    context['tenant'] = 'other'
    const read = (given: EncryptionContext): Promise<Uint8Array> =>
      cipher.decrypt(envelope, { context: given })
    expect(await codeOfAsync(() => read(context))).toBe('ERR_DECRYPT_FAILED')
    expect(await read({ tenant: 'acme' })).toEqual(original)
  })

  it('R3 one whose data key the others used up gets another one, for the context of its call', async () => {
    const { cipher, kms } = setUp({ maxMessages: 1 })
    // Both wait for one call of the KMS; its key has room for one of them.
    const options = [maps(), maps()]
    const pending = options.map((given) => cipher.encrypt(original, given))
    for (const given of options) spoil(new Uint8Array(0), given)
    for (const envelope of await Promise.all(pending)) {
      expect(await coldReader(kms).decrypt(envelope, OPTIONS)).toEqual(original)
    }
    expect(kms.calls.filter((call) => call === 'generate')).toHaveLength(2)
  })

  function laterRuntime(): FakeRuntime {
    const runtime = new FakeRuntime()
    runtime.scripted.set(32, [sequence(32, 100)])
    return runtime
  }
})
