import { describe, expect, it } from 'vitest'
import {
  CachedKms,
  type DataKeyStore,
  type EncryptionContext,
  type KeyHeader,
  type DataKeyOptions,
  KmsError,
  type KmsErrorCode,
  type SecretBytes,
  type WrappedKey,
} from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import {
  dataKeyStoreKey,
  encodeHead,
  encodeKeyHeader,
  parseMessage,
} from '../../../src/wire/index.ts'
import { type Bytes, CONTEXT, FakeRuntime, PlainKms, sequence } from '../wire/fixture.ts'

const USE = { durable: false }
const DURABLE = { durable: true }

function setUp(options: Partial<DataKeyOptions> = {}) {
  const kms = new PlainKms()
  const runtime = new FakeRuntime()
  return { kms, runtime, keys: new CachedKms({ maxEntries: 0, kms, runtime, ...options }) }
}

async function codeOf(work: () => unknown): Promise<KmsErrorCode | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return (error as KmsError).code
  }
}

const wrapOf = (kekId: string, wrapped: Bytes): WrappedKey => {
  return { provider: 'plain', kekId, kekVersion: '1', wrapped }
}

describe('a new data key', () => {
  it('refuses more keys than maxWraps allows, and accepts as many', async () => {
    const { keys, kms } = setUp({ maxWraps: 2 })
    kms.kekIds = ['a', 'b']
    expect((await keys.active(CONTEXT, USE)).header.wraps).toHaveLength(2)
    kms.kekIds = ['a', 'b', 'c']
    expect(await codeOf(() => keys.active(CONTEXT, USE))).toBe('ERR_KMS_CONFIG')
  })

  it.each([0, 17, 1.5])('refuses a maxWraps of %s', async (maxWraps) => {
    expect(await codeOf(() => setUp({ maxWraps }))).toBe('ERR_KMS_CONFIG')
  })

  it.each([
    [[5]],
    [['']],
    [['tenant', 'edge-kms:dk']],
    [['Edge-KMS:x']],
    ['tenant' as never],
    [null as never],
  ] as unknown as [string[]][])(
    'refuses to require %j, which no context can have',
    async (keys) => {
      expect(await codeOf(() => setUp({ requiredContextKeys: keys }))).toBe('ERR_KMS_CONFIG')
    },
  )

  it.each([undefined, null, 5, {}])('is not made over %j, which is not a KMS', async (kms) => {
    expect(await codeOf(() => new CachedKms({ kms: kms as never }))).toBe('ERR_KMS_CONFIG')
  })

  it('ends with clear(): neither records nor streams are written under it any more', async () => {
    const { keys } = setUp()
    const key = await keys.active(CONTEXT, USE)
    const stream = await key.startStream(undefined, 'inline')
    stream.demandCurrent()
    keys.clear()
    const record = (): unknown => key.encryptRecord(new Uint8Array(1), new Uint8Array(0), 'inline')
    for (const use of [record, stream.demandCurrent])
      expect(await codeOf(use)).toBe('ERR_DATA_KEY_EXHAUSTED')
  })

  it('demands the required keys before any call, and leaves them out of the header (R7)', async () => {
    const { keys, kms } = setUp({ requiredContextKeys: ['tenant', 'region'] })
    expect(await codeOf(() => keys.active(CONTEXT, USE))).toBe('ERR_CONTEXT_INVALID')
    expect(await codeOf(() => keys.active(undefined, USE))).toBe('ERR_CONTEXT_INVALID')
    expect(kms.calls).toEqual([])
    const context = { tenant: 'acme', region: 'eu', table: 'cards' }
    const { header } = await keys.active(context, USE)
    expect(header.stored).toEqual({ table: 'cards' })
    expect(await codeOf(() => keys.open(header, { table: 'cards' }, {}))).toBe(
      'ERR_CONTEXT_INVALID',
    )
    expect((await keys.open(header, context, {})).header).toBe(header)
  })

  it.each([0, 16, 31, 33, 64])('refuses a DEK of %i bytes (R9)', async (length) => {
    const { keys, kms } = setUp()
    const { header } = await keys.active(CONTEXT, USE)
    kms.dek = sequence(length)
    expect(await codeOf(() => keys.active(CONTEXT, USE))).toBe('ERR_KMS_RESPONSE_INVALID')
    if (length === 0) return
    const other = encodeKeyHeader(header, [wrapOf('app', sequence(length))])
    // An unwrap of what no DEK can be counts as a wrong DEK (W3.29).
    expect(await codeOf(() => keys.open(other, CONTEXT, {}))).toBe('ERR_DECRYPT_FAILED')
  })

  it('refuses a DEK of 32 zero bytes, made or unwrapped', async () => {
    const { keys, kms } = setUp()
    const { header } = await keys.active(CONTEXT, USE)
    kms.dek = new Uint8Array(32)
    expect(await codeOf(() => keys.active(CONTEXT, USE))).toBe('ERR_KMS_RESPONSE_INVALID')
    const zeros = encodeKeyHeader(header, [wrapOf('app', new Uint8Array(32))])
    expect(await codeOf(() => keys.open(zeros, CONTEXT, {}))).toBe('ERR_DECRYPT_FAILED')
  })

  it('is refused where the clock was never set', async () => {
    const { keys, kms, runtime } = setUp()
    runtime.nowMs = 1_577_836_799_999
    expect(await codeOf(() => keys.active(CONTEXT, USE))).toBe('ERR_KMS_CONFIG')
    expect(kms.calls).toEqual([])
  })
})

/** A store whose answers are replaced in part. */
function storeWith(changes: (inner: MemoryDataKeyStore) => Partial<DataKeyStore>): DataKeyStore {
  const inner = new MemoryDataKeyStore()
  const store: DataKeyStore = {
    consistency: 'strong',
    get: (key) => inner.get(key),
    putIfAbsent: (key, record) => inner.putIfAbsent(key, record),
    compareAndSwap: (key, expected, next) => inner.compareAndSwap(key, expected, next),
    delete: (key) => inner.delete(key),
    list: (cursor, limit) => inner.list(cursor, limit),
  }
  return { ...store, ...changes(inner) }
}

describe('a data key that messages refer to', () => {
  it('refuses a store that is eventually consistent (W4.26)', async () => {
    const dataKeyStore = storeWith(() => ({ consistency: 'eventual' }))
    expect(await codeOf(() => setUp({ dataKeyStore }))).toBe('ERR_KMS_CONFIG')
  })

  it('needs a store', async () => {
    const { keys } = setUp()
    expect(keys.policy.references).toBe(false)
    expect(await codeOf(() => keys.active(CONTEXT, DURABLE))).toBe('ERR_KMS_CONFIG')
    expect(await codeOf(() => keys.headerOf(sequence(32), {}))).toBe('ERR_WIRE_KIND_REFUSED')
  })

  it('is written and read back before it is handed out (W4.24)', async () => {
    const steps: string[] = []
    const dataKeyStore = storeWith((inner) => ({
      putIfAbsent: async (key, record) => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        steps.push('put')
        return inner.putIfAbsent(key, record)
      },
      get: async (key) => {
        steps.push('get')
        return inner.get(key)
      },
    }))
    const { keys } = setUp({ dataKeyStore })
    const key = await keys.active(CONTEXT, DURABLE)
    expect(steps).toEqual(['put', 'get'])
    expect((await keys.byReference(key.header.commitment, CONTEXT, {})).header).toEqual(key.header)
  })

  const other = encodeHead('data-key-record', sequence(200))
  it.each<[string, (inner: MemoryDataKeyStore) => Partial<DataKeyStore>]>([
    ['loses what it was given', () => ({ putIfAbsent: async () => true })],
    ['says that a record is there, and has none', () => ({ putIfAbsent: async () => false })],
    ['gives another record back', () => ({ get: async () => other })],
    ['fails to write', () => ({ putIfAbsent: () => Promise.reject(new Error('disk')) })],
    ['fails to read', () => ({ get: () => Promise.reject(new Error('disk')) })],
    [
      'keeps another record under this key',
      (inner) => ({
        putIfAbsent: async (key, record) => {
          await inner.putIfAbsent(key, other)
          return inner.putIfAbsent(key, record)
        },
      }),
    ],
  ])('is not handed out by a store that %s', async (_, changes) => {
    const { keys } = setUp({ dataKeyStore: storeWith(changes) })
    expect(await codeOf(() => keys.active(CONTEXT, DURABLE))).toBe('ERR_STORE_UNAVAILABLE')
  })

  it.each<[string, string, (header: KeyHeader) => KeyHeader]>([
    [
      'junk',
      'ERR_STORE_UNAVAILABLE',
      (header) => encodeKeyHeader(header, [wrapOf('app', sequence(32, 7))]),
    ],
    [
      'wraps of no key that is configured',
      'ERR_STORE_UNAVAILABLE',
      (header) => encodeKeyHeader(header, [{ ...header.wraps[0]!, kekId: 'other' }]),
    ],
    [
      'wraps that another process has made of it',
      'used',
      (header) => encodeKeyHeader(header, [{ ...header.wraps[0]!, kekVersion: '2' }]),
    ],
  ])('whose record has %s instead of its own: %s', async (_, code, change) => {
    let planted = 0
    const dataKeyStore = storeWith((inner) => ({
      putIfAbsent: async (key, record) => {
        const { header } = parseMessage(record, {
          acceptVersions: [1],
          acceptKinds: ['data-key-record'],
          maxWraps: 5,
        })
        const other = encodeHead('data-key-record', change(header as KeyHeader).bytes)
        planted += Number(await inner.putIfAbsent(key, other))
        return inner.putIfAbsent(key, record)
      },
    }))
    const { keys } = setUp({ dataKeyStore })
    expect((await codeOf(() => keys.active(CONTEXT, DURABLE))) ?? 'used').toBe(code)
    expect(planted).toBe(1)
  })

  it('is handed out where the same record is there already: a retry after a lost answer', async () => {
    const dataKeyStore = storeWith((inner) => ({
      putIfAbsent: async (key, record) => {
        await inner.putIfAbsent(key, record)
        return inner.putIfAbsent(key, record)
      },
    }))
    const { keys } = setUp({ dataKeyStore })
    expect(await keys.active(CONTEXT, DURABLE)).toBeDefined()
  })

  it('is not called unavailable where the caller gave up, or the store has a typed error', async () => {
    const reason = new Error('gone')
    const failing = storeWith(() => ({ get: () => Promise.reject(new Error('disk')) }))
    const aborted = { signal: AbortSignal.abort(reason) }
    const { keys } = setUp({ dataKeyStore: failing })
    await expect(keys.headerOf(sequence(32), aborted)).rejects.toBe(reason)
    const typed = storeWith(() => ({
      get: () => Promise.reject(new KmsError('ERR_KMS_UNAUTHENTICATED')),
    }))
    const signed = setUp({ dataKeyStore: typed }).keys
    expect(await codeOf(() => signed.headerOf(sequence(32), {}))).toBe('ERR_KMS_UNAUTHENTICATED')
  })

  it('is unknown, or a lie, where the store has no or another record (W4.23, W4.25)', async () => {
    const dataKeyStore = new MemoryDataKeyStore()
    const { keys, kms } = setUp({ dataKeyStore })
    const [a, b] = [await keys.active(CONTEXT, USE), await keys.active(CONTEXT, USE)]
    const read = () => codeOf(() => keys.byReference(a.header.commitment, CONTEXT, {}))
    kms.calls.length = 0
    expect(await read()).toBe('ERR_ENVELOPE_UNKNOWN_REFERENCE')
    const lie = encodeHead('data-key-record', b.header.bytes)
    await dataKeyStore.putIfAbsent(dataKeyStoreKey(a.header.commitment), lie)
    expect(await read()).toBe('ERR_DECRYPT_FAILED')
    expect(kms.calls).toEqual([])
  })
})

describe('a rewrap', () => {
  it('leaves no DEK behind, whether it succeeds or fails', async () => {
    for (const error of [undefined, new KmsError('ERR_KMS_UNAVAILABLE')]) {
      const { keys, kms } = setUp()
      const { header } = await keys.active(CONTEXT, USE)
      const given: SecretBytes[] = []
      const wrap = kms.wrapDataKey.bind(kms)
      kms.wrapDataKey = (plaintext, options) => {
        given.push(plaintext)
        expect(plaintext.expose()).toHaveLength(32)
        return error === undefined ? wrap(plaintext, options) : Promise.reject(error)
      }
      expect(await codeOf(() => keys.rewrap(header, CONTEXT, { verify: 'open' }))).toBe(error?.code)
      expect(given).toHaveLength(1)
      expect(() => given[0]?.expose()).toThrow()
    }
  })
})

describe('many headers', () => {
  const request = (header: KeyHeader, context: EncryptionContext = CONTEXT) => ({ header, context })

  it('are opened in order, each distinct one once', async () => {
    const { keys, kms } = setUp()
    const headers: KeyHeader[] = []
    for (let i = 0; i < 4; i++) headers.push((await keys.active(CONTEXT, USE)).header)
    const [a, b, c, d] = headers as [KeyHeader, KeyHeader, KeyHeader, KeyHeader]
    const foreign = encodeKeyHeader(d, [{ ...d.wraps[0]!, kekId: 'other' }])
    const junk = encodeKeyHeader(c, [wrapOf('app', sequence(32, 7))])
    kms.calls.length = 0
    const outcomes = await keys.openMany(
      [a, b, foreign, a, junk, { ...b }, a].map((header) => request(header)),
      {},
    )
    expect(kms.calls).toEqual(['unwrap', 'unwrap', 'unwrap'])
    expect(outcomes.map((o) => (o.ok ? o.value.header.commitment : o.error.code))).toEqual([
      a.commitment,
      b.commitment,
      'ERR_ENVELOPE_UNKNOWN_KEY',
      a.commitment,
      'ERR_DECRYPT_FAILED',
      b.commitment,
      a.commitment,
    ])
  })

  it('are others where the context is another', async () => {
    const { keys, kms } = setUp({ requiredContextKeys: ['tenant'] })
    const { header } = await keys.active(CONTEXT, USE)
    kms.calls.length = 0
    const outcomes = await keys.openMany(
      [request(header), request(header, { tenant: 'other' }), { header, context: undefined }],
      {},
    )
    expect(outcomes.map((outcome) => outcome.ok || outcome.error.code)).toEqual([
      true,
      'ERR_DECRYPT_FAILED',
      'ERR_CONTEXT_INVALID',
    ])
    expect(kms.calls).toHaveLength(2)
  })

  it('fail alone: an outage of one is its outcome, and one of the whole question is that of each', async () => {
    const { keys, kms } = setUp()
    const [a, b] = [await keys.active(CONTEXT, USE), await keys.active(CONTEXT, USE)]
    let unwraps = 0
    kms.onUnwrap = () => {
      if (++unwraps === 1) throw new KmsError('ERR_KMS_UNAVAILABLE')
    }
    const both = [request(a.header), request(b.header)]
    const outcomes = await keys.openMany(both, {})
    expect(outcomes).toMatchObject([{ error: { code: 'ERR_KMS_UNAVAILABLE' } }, { ok: true }])
    kms.onUnwrap = () => {
      throw new TypeError('a mistake')
    }
    expect(await keys.openMany(both, {})).toMatchObject([
      { error: { code: 'ERR_KMS_UNAVAILABLE' } },
      { error: { code: 'ERR_KMS_UNAVAILABLE' } },
    ])
  })
})

describe('a wrap that opens to another DEK (W3.29)', () => {
  async function withJunkFirst() {
    const { keys, kms } = setUp()
    kms.kekIds = ['a', 'b', 'c']
    const { header } = await keys.active(CONTEXT, USE)
    const right = header.wraps[2]!
    const [a, b] = [wrapOf('a', sequence(32, 7)), wrapOf('b', sequence(32, 8))]
    kms.calls.length = 0
    return { keys, kms, header, right, a, b }
  }

  it('does not hide the right one, and each wrap is tried once', async () => {
    const { keys, kms, header, right, a, b } = await withJunkFirst()
    const mixed = encodeKeyHeader(header, [a, b, right])
    expect((await keys.open(mixed, CONTEXT, {})).header).toBe(mixed)
    expect(kms.asked.map((wraps) => wraps.map(({ kekId }) => kekId))).toEqual([
      ['a', 'b', 'c'],
      ['b', 'c'],
      ['c'],
    ])
    kms.calls.length = 0
    const [outcome] = await keys.openMany([{ header: mixed, context: CONTEXT }], {})
    expect(outcome?.ok).toBe(true)
    expect(kms.calls).toHaveLength(3)
  })

  it('fails when none is right, after as many calls as wraps', async () => {
    const { keys, kms, header, a, b } = await withJunkFirst()
    const junk = encodeKeyHeader(header, [a, b])
    expect(await codeOf(() => keys.open(junk, CONTEXT, {}))).toBe('ERR_DECRYPT_FAILED')
    expect(kms.calls).toHaveLength(2)
  })

  it('ends, though the KMS answers with a wrap that it was not given', async () => {
    const { keys, kms, header, a, b } = await withJunkFirst()
    const unwrap = kms.unwrapDataKey.bind(kms)
    kms.unwrapDataKey = async (...args) => ({
      ...(await unwrap(...args)),
      by: wrapOf('z', a.wrapped),
    })
    const junk = encodeKeyHeader(header, [a, b])
    expect(await codeOf(() => keys.open(junk, CONTEXT, {}))).toBe('ERR_DECRYPT_FAILED')
    expect(kms.calls).toHaveLength(1)
  })
})

it('a data key never prints its keys, and cannot be used after dispose', async () => {
  const { keys } = setUp()
  const key = await keys.active(CONTEXT, USE)
  expect(JSON.stringify({ key })).toBe('{"key":"[data key]"}')
  key.dispose()
  const use = () => key.encryptRecord(sequence(1), sequence(1), 'inline')
  expect(use).toThrow(TypeError)
})
