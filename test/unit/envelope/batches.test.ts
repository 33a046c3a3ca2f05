import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  type DataKeyStore,
  EncryptedEnvelope,
  type EncryptItem,
  KmsError,
  type Outcome,
} from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { toHex } from '../../vectors/hex.ts'
import {
  type Bytes,
  coldReader,
  FakeRuntime,
  localKms,
  OPTIONS,
  PlainKms,
  sequence,
  setUp,
  through,
} from '../wire/fixture.ts'
import { changed, CountingKms, flipped } from './fixture.ts'

const keyOf = (message: Uint8Array): string => toHex(EncryptedEnvelope.parse(message).commitment)
const textOf = (outcome: Outcome<Bytes> | undefined): string =>
  outcome === undefined ? 'nothing' : outcome.ok ? toHex(outcome.value) : outcome.error.code

/** `count` records under as many data keys. */
async function distinct(
  kms: PlainKms | CountingKms,
  count: number,
  options: object = {},
): Promise<Bytes[]> {
  const { cipher } = setUp({ kms, cache: false, ...options })
  const messages: Bytes[] = []
  for (let i = 0; i < count; i++) messages.push(await cipher.encrypt(sequence(9, i), OPTIONS))
  return messages
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('encryptMany', () => {
  it('gives one outcome for each item, in order, whatever becomes of the others', async () => {
    const { cipher, kms } = setUp({ maxRecordBytes: 100 })
    const good = (i: number): EncryptItem => ({ plaintext: sequence(20, i), ...OPTIONS })
    const items: EncryptItem[] = [
      good(0),
      { ...good(1), plaintext: sequence(101) },
      { ...good(2), context: { 'edge-kms:dk': 'x' } },
      { ...good(3), aad: { '': 'x' } },
      { ...good(4), context: { tenant: 'other' } },
      { plaintext: new Uint8Array(0) },
      good(6),
    ]
    const outcomes = await cipher.encryptMany(items)
    expect(outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code))).toEqual([
      'ok',
      'ERR_ENVELOPE_TOO_LARGE',
      'ERR_CONTEXT_INVALID',
      'ERR_CONTEXT_INVALID',
      'ok',
      'ok',
      'ok',
    ])
    const reader = coldReader(kms)
    for (const [i, outcome] of outcomes.entries()) {
      if (!outcome.ok) continue
      const { plaintext, ...maps } = items[i]!
      expect(await reader.decrypt(outcome.value, maps)).toEqual(plaintext)
    }
  })

  it('makes one data key for each context of a cold batch, and none for a warm one', async () => {
    const kms = new CountingKms(localKms())
    const { cipher } = setUp({ kms })
    const items = Array.from({ length: 200 }, (_, i) => {
      return { plaintext: sequence(5), context: { tenant: `t${String(i % 7)}` } }
    })
    const first = await cipher.encryptMany(items)
    expect(kms.calls).toEqual(Array.from({ length: 7 }, () => 'generate'))
    const keys = first.map((outcome) => (outcome.ok ? keyOf(outcome.value) : ''))
    for (const [i, key] of keys.entries()) expect(key).toBe(keys[i % 7])
    await cipher.encryptMany(items)
    expect(kms.calls).toHaveLength(7)
  })

  it('an outage is the outcome of the items that it meets', async () => {
    const { cipher, kms } = setUp()
    const generate = kms.generateDataKey.bind(kms)
    kms.generateDataKey = (options) =>
      options.context['tenant'] === 'down'
        ? Promise.reject(new KmsError('ERR_KMS_UNAVAILABLE'))
        : generate(options)
    const items = ['a', 'down', 'b', 'down', 'a'].map((tenant) => {
      return { plaintext: sequence(5), context: { tenant } }
    })
    const outcomes = await cipher.encryptMany(items)
    expect(outcomes.map((one) => (one.ok ? 'ok' : one.error.code))).toEqual([
      'ok',
      'ERR_KMS_UNAVAILABLE',
      'ok',
      'ERR_KMS_UNAVAILABLE',
      'ok',
    ])
  })

  it('R4 no data key of a batch goes over its caps', async () => {
    const { cipher } = setUp({ maxMessages: 7 })
    const items = Array.from({ length: 150 }, () => ({ plaintext: sequence(5), ...OPTIONS }))
    const counts = new Map<string, number>()
    for (const outcome of await cipher.encryptMany(items)) {
      if (!outcome.ok) throw outcome.error
      const key = keyOf(outcome.value)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(7)
    expect([...counts.values()].reduce((sum, one) => sum + one, 0)).toBe(150)
  })

  it('rejects for a mistake of the program, which is not an outcome, before any work', async () => {
    const { cipher, kms } = setUp()
    const items = [{ plaintext: sequence(5) }, { plaintext: 'text' as unknown as Uint8Array }]
    await expect(cipher.encryptMany(items)).rejects.toBeInstanceOf(TypeError)
    expect(kms.calls).toEqual([])
  })

  // 64 messages are in flight at once: a limit above that is used up to the last message.
  it.each([
    [64, 300],
    [100, 100],
    [150, 400],
  ])('makes no more data keys than %i messages each need for %i', async (maxMessages, count) => {
    const kms = new CountingKms(localKms())
    const { cipher } = setUp({ kms, maxMessages })
    const items = Array.from({ length: count * 2 }, (_, i) => {
      return { plaintext: sequence(5), context: { tenant: i % 2 === 0 ? 'a' : 'b' } }
    })
    const outcomes = await cipher.encryptMany(items)
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true)
    expect(kms.count('generate')).toBe(2 * Math.ceil(count / maxMessages))
  })

  it.each(['ERR_KMS_UNAVAILABLE', 'ERR_KMS_ACCESS_DENIED', 'ERR_STORE_UNAVAILABLE'] as const)(
    'asks once for each context while it gets %s, and again in the next call',
    async (code) => {
      const { cipher, kms } = setUp()
      const generate = kms.generateDataKey.bind(kms)
      let calls = 0
      kms.generateDataKey = () => {
        calls += 1
        return Promise.reject(new KmsError(code))
      }
      const items = Array.from({ length: 200 }, (_, i) => {
        return { plaintext: sequence(5), context: { tenant: `t${String(i % 3)}` } }
      })
      expect(new Set((await cipher.encryptMany(items)).map(textOf))).toEqual(new Set([code]))
      expect(calls).toBe(3)
      kms.generateDataKey = generate
      expect((await cipher.encryptMany(items)).every((outcome) => outcome.ok)).toBe(true)
    },
  )

  it('without a cache makes the data keys of many items at the same time', async () => {
    const inner = new PlainKms()
    const kms = new CountingKms(inner)
    const { cipher } = setUp({ kms, cache: false })
    let flying = 0
    let most = 0
    const generate = kms.generateDataKey.bind(kms)
    kms.generateDataKey = async (options) => {
      most = Math.max(most, ++flying)
      await new Promise((resolve) => setTimeout(resolve, 1))
      flying -= 1
      return generate(options)
    }
    const items = Array.from({ length: 100 }, () => ({ plaintext: sequence(5), ...OPTIONS }))
    await cipher.encryptMany(items)
    expect(kms.count('generate')).toBe(100)
    expect(most).toBeGreaterThan(10)
    expect(most).toBeLessThanOrEqual(64)
  })

  it('takes a form for each item, and one form without a store fails alone', async () => {
    const form = 'reference' as const
    const items = [{}, {}, { form }, {}].map((own) => ({
      plaintext: sequence(5),
      ...OPTIONS,
      ...own,
    }))
    const dataKeyStore = new MemoryDataKeyStore()
    const outcomes = await setUp({ dataKeyStore }).cipher.encryptMany(items)
    const kindOf = (one: Outcome<Bytes>): string =>
      one.ok ? EncryptedEnvelope.parse(one.value).kind : one.error.code
    expect(outcomes.map(kindOf)).toEqual(['record', 'record', 'record-by-reference', 'record'])
    const alone = await setUp().cipher.encryptMany(items)
    expect(alone.map(kindOf)).toEqual(['record', 'record', 'ERR_KMS_CONFIG', 'record'])
  })
})

describe('decryptMany', () => {
  it('gives one outcome for each item, in order, whatever becomes of the others', async () => {
    const kms = new PlainKms()
    const [a, b, c] = (await distinct(kms, 3)) as [Bytes, Bytes, Bytes]
    const foreign = Buffer.from(c).indexOf('app')
    const items = [
      { envelope: a, ...OPTIONS },
      { envelope: new Uint8Array(0), ...OPTIONS },
      { envelope: flipped(b, -1), ...OPTIONS },
      { envelope: flipped(b, 5), ...OPTIONS },
      { envelope: changed(b, 2, 9), ...OPTIONS },
      { envelope: changed(b, 3, 2), ...OPTIONS },
      { envelope: flipped(c, foreign), ...OPTIONS },
      { envelope: b, ...OPTIONS, context: { tenant: 'other' } },
      { envelope: b, ...OPTIONS, aad: { row: '43' } },
      { envelope: b, ...OPTIONS, context: { tenant: '\udfff' } },
      { envelope: c, ...OPTIONS },
    ]
    const expected = [
      toHex(sequence(9, 0)),
      'ERR_WIRE_MALFORMED',
      'ERR_DECRYPT_FAILED',
      'ERR_DECRYPT_FAILED',
      'ERR_WIRE_VERSION_REFUSED',
      'ERR_WIRE_KIND_REFUSED',
      'ERR_ENVELOPE_UNKNOWN_KEY',
      'ERR_DECRYPT_FAILED',
      'ERR_DECRYPT_FAILED',
      'ERR_DECRYPT_FAILED',
      toHex(sequence(9, 2)),
    ]
    for (const options of [{}, { cache: false }]) {
      const reader = coldReader(kms, options)
      // Twice, so that the second finds a warm cache and remembered failures.
      for (let round = 0; round < 2; round++) {
        expect((await reader.decryptMany(items)).map(textOf)).toEqual(expected)
      }
    }
  })

  it('a wrong type is the outcome of its item, before any KMS call', async () => {
    const inner = new PlainKms()
    const [a] = (await distinct(inner, 1)) as [Bytes]
    const kms = new CountingKms(inner)
    const wrongs: readonly unknown[] = [undefined, null, 'ek1.AAAA', 7, [1], new ArrayBuffer(8)]
    for (const wrong of wrongs) {
      const envelope = wrong as Uint8Array
      const context = (wrong === undefined ? null : wrong) as Record<string, string>
      for (const reader of [coldReader(kms), coldReader(kms, { cache: false })]) {
        kms.calls.length = 0
        const outcomes = await reader.decryptMany([
          { envelope, ...OPTIONS },
          { envelope: a, ...OPTIONS },
          { envelope: a, ...OPTIONS, context },
          { envelope: a, ...OPTIONS, aad: context },
        ])
        expect(outcomes.map((one) => one.ok || one.error.code)).toEqual([
          'ERR_WIRE_MALFORMED',
          true,
          'ERR_CONTEXT_INVALID',
          'ERR_CONTEXT_INVALID',
        ])
        expect(kms.calls).toEqual(['unwrap'])
      }
    }
  })

  it('unwraps each distinct data key once, and none that is held', async () => {
    const inner = new PlainKms()
    const messages = await distinct(inner, 5)
    const kms = new CountingKms(inner)
    const items = Array.from({ length: 100 }, (_, i) => {
      return { envelope: messages[i % 5]!, ...OPTIONS }
    })
    const reader = coldReader(kms)
    const outcomes = await reader.decryptMany(items)
    expect(outcomes.map(textOf)).toEqual(items.map((_, i) => toHex(sequence(9, i % 5))))
    expect(kms.calls).toEqual(Array.from({ length: 5 }, () => 'unwrap'))
    kms.calls.length = 0
    expect((await reader.decryptMany(items)).every((outcome) => outcome.ok)).toBe(true)
    expect(kms.calls).toEqual([])
    const uncached = coldReader(kms, { cache: false })
    await uncached.decryptMany(items)
    expect(kms.calls).toHaveLength(5)
  })

  it('mixes held and unknown data keys, and asks for the unknown ones in one question', async () => {
    const inner = new PlainKms()
    const messages = await distinct(inner, 6)
    const kms = new CountingKms(inner)
    const asked: number[] = []
    const unwrapMany = kms.unwrapMany.bind(kms)
    kms.unwrapMany = (items, options) => {
      asked.push(items.length)
      return unwrapMany(items, options)
    }
    const reader = coldReader(kms)
    for (const i of [1, 3]) await reader.decrypt(messages[i]!, OPTIONS)
    const items = messages.map((envelope) => ({ envelope, ...OPTIONS }))
    const outcomes = await reader.decryptMany(items)
    expect(outcomes.map(textOf)).toEqual(messages.map((_, i) => toHex(sequence(9, i))))
    expect(asked).toEqual([4])
  })

  it('of nothing, or of what only the parser sees, asks nobody', async () => {
    const kms = new CountingKms(localKms())
    for (const options of [{}, { cache: false }]) {
      const reader = coldReader(kms, options)
      const unwrapMany = vi.spyOn(kms, 'unwrapMany')
      expect(await reader.decryptMany([])).toEqual([])
      expect(await reader.encryptMany([])).toEqual([])
      const [outcome] = await reader.decryptMany([{ envelope: sequence(40) }])
      expect(textOf(outcome)).toBe('ERR_WIRE_MALFORMED')
      expect(unwrapMany).not.toHaveBeenCalled()
    }
    expect(kms.calls).toEqual([])
  })

  it('reads the store once for each distinct reference, and the KMS once for each data key', async () => {
    const inner = new PlainKms()
    const memory = new MemoryDataKeyStore()
    let reads = 0
    const dataKeyStore: DataKeyStore = {
      consistency: 'strong',
      get: (key) => {
        reads += 1
        return memory.get(key)
      },
      putIfAbsent: (key, record) => memory.putIfAbsent(key, record),
      compareAndSwap: (key, expected, next) => memory.compareAndSwap(key, expected, next),
      delete: (key) => memory.delete(key),
      list: (cursor, limit) => memory.list(cursor, limit),
    }
    const messages = await distinct(inner, 4, { dataKeyStore, form: 'reference' })
    const inline = await setUp({ kms: inner, runtime: later() }).cipher.encrypt(
      sequence(9),
      OPTIONS,
    )
    reads = 0
    const kms = new CountingKms(inner)
    const unknown = flipped(messages[0]!, 4)
    const envelopes = [...messages, inline, unknown, ...messages, inline]
    const reader = coldReader(kms, { dataKeyStore })
    const outcomes = await reader.decryptMany(
      envelopes.map((envelope) => ({ envelope, ...OPTIONS })),
    )
    const plain = (i: number): string => toHex(sequence(9, i))
    const once = [plain(0), plain(1), plain(2), plain(3), plain(0)]
    expect(outcomes.map(textOf)).toEqual([...once, 'ERR_ENVELOPE_UNKNOWN_REFERENCE', ...once])
    expect(reads).toBe(5)
    expect(kms.calls).toHaveLength(5)
  })

  it('opens streams too where kinds names them', async () => {
    const { cipher, kms } = setUp()
    const large = sequence(40_000)
    const stream = await through(cipher.encryptStream(OPTIONS), large)
    const record = await cipher.encrypt(sequence(9), OPTIONS)
    const items = [stream, record, flipped(stream, -1)].map((envelope) => {
      return { envelope, ...OPTIONS }
    })
    const kinds = ['stream', 'record'] as const
    const outcomes = await coldReader(kms).decryptMany(items, { kinds })
    expect(outcomes.map(textOf)).toEqual([toHex(large), toHex(sequence(9)), 'ERR_DECRYPT_FAILED'])
    const refused = await coldReader(kms).decryptMany(items)
    expect(refused.map(textOf)).toEqual([
      'ERR_WIRE_KIND_REFUSED',
      toHex(sequence(9)),
      'ERR_WIRE_KIND_REFUSED',
    ])
  })

  it('an outage of one data key is the outcome of its messages', async () => {
    const kms = new PlainKms()
    const [a, b] = (await distinct(kms, 2)) as [Bytes, Bytes]
    let unwraps = 0
    kms.onUnwrap = () => {
      if (++unwraps === 1) throw new KmsError('ERR_KMS_THROTTLED')
    }
    const items = [a, b, a].map((envelope) => ({ envelope, ...OPTIONS }))
    const reader = coldReader(kms)
    expect((await reader.decryptMany(items)).map(textOf)).toEqual([
      'ERR_KMS_THROTTLED',
      toHex(sequence(9, 1)),
      'ERR_KMS_THROTTLED',
    ])
    // It is not held against the message: the next call asks again.
    expect((await reader.decryptMany(items)).every((outcome) => outcome.ok)).toBe(true)
    expect(unwraps).toBe(3)
  })
})

it.each(['encryptMany', 'decryptMany'] as const)(
  '%s keeps a bounded number of AEAD calls in flight',
  async (method) => {
    const { cipher } = setUp()
    const plaintext = sequence(9)
    const envelope = await cipher.encrypt(plaintext, OPTIONS)
    const many = <T extends object>(item: T): T[] => Array.from({ length: 500 }, () => item)
    let flying = 0
    let most = 0
    const name = method === 'encryptMany' ? 'encrypt' : 'decrypt'
    const real = crypto.subtle[name].bind(crypto.subtle)
    vi.spyOn(crypto.subtle, name).mockImplementation(async (...args) => {
      most = Math.max(most, ++flying)
      try {
        return await real(...args)
      } finally {
        flying -= 1
      }
    })
    const outcomes =
      method === 'encryptMany'
        ? await cipher.encryptMany(many({ plaintext, ...OPTIONS }))
        : await cipher.decryptMany(many({ envelope, ...OPTIONS }))
    expect(outcomes).toHaveLength(500)
    expect(outcomes.every((outcome) => outcome.ok)).toBe(true)
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(64)
  },
)

/** Another generator, so that its data keys are other ones. */
function later(): FakeRuntime {
  const runtime = new FakeRuntime()
  for (let i = 0; i < 100; i++) runtime.randomFill(new Uint8Array(4))
  return runtime
}
