import { describe, expect, it } from 'vitest'
import {
  CachedKms,
  type EncryptionContext,
  type KeyHeader,
  type KmsCacheConfig,
  KmsError,
  type KmsErrorCode,
} from '../../../src/index.ts'
import { encodeHead, encodeKeyHeader } from '../../../src/wire/index.ts'
import { CONTEXT, FakeRuntime, NOW, PlainKms, sequence } from '../wire/fixture.ts'

const USE = { durable: false }
const TTL = 1_000

function setUp(options: KmsCacheConfig = { ttlMs: TTL, refreshAheadMs: 0 }) {
  const kms = new PlainKms()
  const runtime = new FakeRuntime()
  const cache = new CachedKms({ kms, runtime, ...options })
  return { kms, runtime, cache }
}

/** Headers that other processes made: their keys are in nobody's cache. */
async function foreign(kms: PlainKms, context: EncryptionContext = CONTEXT): Promise<KeyHeader> {
  const runtime = new FakeRuntime()
  runtime.randomFill = (bytes) => crypto.getRandomValues(bytes)
  const { header } = await new CachedKms({ maxEntries: 0, kms, runtime }).active(context, USE)
  kms.calls.length = 0
  return header
}

/** The header with its wraps changed so that none opens to the right DEK. */
function junk(header: KeyHeader, first: number): KeyHeader {
  const wraps = header.wraps.map((wrap) => ({ ...wrap, wrapped: sequence(32, first) }))
  return encodeKeyHeader(header, wraps)
}

async function codeOf(work: () => unknown): Promise<KmsErrorCode | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return (error as KmsError).code
  }
}

describe('how long a key is held', () => {
  it('hands out one key to writers until the TTL ends', async () => {
    const { cache, runtime, kms } = setUp()
    const first = await cache.active(CONTEXT, USE)
    runtime.nowMs = NOW + TTL - 1
    expect(cache.active(CONTEXT, USE)).toBe(first)
    runtime.nowMs = NOW + TTL
    expect(await cache.active(CONTEXT, USE)).not.toBe(first)
    expect(kms.calls).toEqual(['generate', 'generate'])
  })

  it('does not prolong the TTL by use, for readers and writers', async () => {
    const { cache, runtime, kms } = setUp()
    const header = await foreign(kms)
    await cache.open(header, CONTEXT, {})
    for (const step of [400, 800]) {
      runtime.nowMs = NOW + step
      await cache.open(header, CONTEXT, {})
    }
    expect(kms.calls).toEqual(['unwrap'])
    runtime.nowMs = NOW + TTL
    await cache.open(header, CONTEXT, {})
    expect(kms.calls).toEqual(['unwrap', 'unwrap'])
  })

  it('takes a key from before a clock went back as old', async () => {
    const { cache, runtime, kms } = setUp()
    const header = await foreign(kms)
    await cache.open(header, CONTEXT, {})
    const held = await cache.active(CONTEXT, USE)
    runtime.nowMs = NOW - 1
    await cache.open(header, CONTEXT, {})
    expect(await cache.active(CONTEXT, USE)).not.toBe(held)
    expect(kms.calls).toEqual(['unwrap', 'generate', 'unwrap', 'generate'])
  })

  it('holds a key that it made for readers too', async () => {
    const { cache, kms } = setUp()
    const key = await cache.active(CONTEXT, USE)
    expect(cache.open(key.header, CONTEXT, {})).toBe(key)
    expect(kms.calls).toEqual(['generate'])
  })

  it('makes another key where the context is another, and for one that may not encrypt any more', async () => {
    const kms = new PlainKms()
    const runtime = new FakeRuntime()
    const cache = new CachedKms({ kms, runtime, maxMessages: 2, encryptForMs: 500 })
    const first = await cache.active(CONTEXT, USE)
    expect(await cache.active({ tenant: 'other' }, USE)).not.toBe(first)
    expect(await cache.active(CONTEXT, USE)).toBe(first)
    const second = await cache.active(CONTEXT, USE)
    expect(second).not.toBe(first)
    runtime.nowMs = NOW + 500
    expect(await cache.active(CONTEXT, USE)).not.toBe(second)
  })

  it('forgets everything on clear, failures too', async () => {
    const { cache, kms } = setUp()
    const good = await foreign(kms)
    const bad = junk(await foreign(kms), 9)
    const own = await cache.active(CONTEXT, USE)
    await cache.open(good, CONTEXT, {})
    await codeOf(() => cache.open(bad, CONTEXT, {}))
    kms.calls.length = 0
    cache.clear()
    expect(cache.stats().entries).toBe(0)
    expect(await cache.active(CONTEXT, USE)).not.toBe(own)
    await cache.open(good, CONTEXT, {})
    await codeOf(() => cache.open(bad, CONTEXT, {}))
    expect(kms.calls).toEqual(['generate', 'unwrap', 'unwrap'])
  })
})

describe('how many keys are held', () => {
  it('drops what was not used for the longest time', async () => {
    const { cache, kms } = setUp({ maxEntries: 2 })
    const [a, b, c] = [await foreign(kms), await foreign(kms), await foreign(kms)]
    await cache.open(a, CONTEXT, {})
    await cache.open(b, CONTEXT, {})
    await cache.open(a, CONTEXT, {})
    await cache.open(c, CONTEXT, {})
    expect(cache.stats()).toMatchObject({ entries: 2, evictions: 1 })
    kms.calls.length = 0
    await cache.open(a, CONTEXT, {})
    await cache.open(c, CONTEXT, {})
    expect(kms.calls).toEqual([])
    await cache.open(b, CONTEXT, {})
    expect(kms.calls).toEqual(['unwrap'])
  })

  it('bounds the keys of writers as well', async () => {
    const { cache, kms } = setUp({ maxEntries: 2 })
    for (const tenant of ['a', 'b', 'c', 'a']) await cache.active({ tenant }, USE)
    expect(kms.calls).toHaveLength(4)
    expect(cache.stats().entries).toBe(2)
  })

  it('counts', async () => {
    const { cache, kms } = setUp()
    const header = await foreign(kms)
    const bad = junk(header, 9)
    await cache.active(CONTEXT, USE)
    await cache.active(CONTEXT, USE)
    await codeOf(() => cache.open(bad, CONTEXT, {}))
    await codeOf(() => cache.open(bad, CONTEXT, {}))
    await cache.open(header, CONTEXT, {})
    await cache.open(header, CONTEXT, {})
    await cache.openMany([{ header, context: CONTEXT }], {})
    expect(cache.stats()).toMatchObject({
      entries: 2,
      encryptHits: 1,
      encryptMisses: 1,
      decryptHits: 2,
      decryptMisses: 3,
      staleEncrypts: 0,
      staleDecrypts: 0,
      refreshes: 0,
      evictions: 0,
      revocations: 0,
      refusals: 1,
    })
    const { commitment } = header
    expect(cache.recall(encodeHead('record', header.bytes), CONTEXT, undefined)).toBeDefined()
    expect(cache.recall(encodeHead('record', header.bytes), { tenant: 'x' }, undefined)).toBe(
      undefined,
    )
    expect(await cache.byReference(commitment, CONTEXT, {})).toBeDefined()
    expect(cache.stats()).toMatchObject({ decryptHits: 4, decryptMisses: 3 })
  })

  it.each<KmsCacheConfig>([
    { ttlMs: 0 },
    { ttlMs: 3_600_001 },
    { ttlMs: 1.5 },
    { ttlMs: NaN },
    { maxEntries: -1 },
    { maxEntries: 1_000_001 },
    { ttlMs: 1_000, refreshAheadMs: 1_001 },
    { ttlMs: 5n as never },
    { ttlMs: Symbol('a time') as never },
    { refreshAheadMs: -1 },
    { maxStaleMs: -1 },
    { maxStaleMs: 86_400_001 },
    { maxStaleWriteMs: -1 },
    { maxStaleWriteMs: 86_400_001 },
  ])('refuses bounds out of range: %o', async (options) => {
    expect(await codeOf(() => setUp(options))).toBe('ERR_KMS_CONFIG')
  })
})

describe('R14 a held key and a header that differs', () => {
  const flip = (bytes: Uint8Array) => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))
  const open = (header: KeyHeader, context?: EncryptionContext) => (cache: CachedKms) =>
    cache.open(header, context, {})

  it.each<[string, (header: KeyHeader) => (cache: CachedKms) => unknown]>([
    ['salt', (h) => open(encodeKeyHeader({ ...h, salt: flip(h.salt) }, h.wraps), CONTEXT)],
    [
      'age',
      (h) => open(encodeKeyHeader({ ...h, createdAtMs: h.createdAtMs + 1 }, h.wraps), CONTEXT),
    ],
    ['stored context', (h) => open(encodeKeyHeader({ ...h, stored: {} }, h.wraps), CONTEXT)],
    ['another context', (h) => open(h, { tenant: 'other' })],
    ['a context with more', (h) => open(h, { ...CONTEXT, more: '' })],
    ['no context', (h) => open(h)],
  ])('refuses another %s without a KMS call', async (_, change) => {
    const { cache, kms } = setUp()
    const header = await foreign(kms)
    await cache.open(header, CONTEXT, {})
    kms.calls.length = 0
    expect(await codeOf(() => change(header)(cache))).toBe('ERR_DECRYPT_FAILED')
    expect(kms.calls).toEqual([])
    expect(cache.stats().decryptHits).toBe(0)
  })

  it.each<[string, unknown]>([
    ['a key of another name', { other: undefined }],
    ['a key that every object inherits', { constructor: undefined }],
  ])('refuses a context whose value is undefined under %s', async (_, context) => {
    const { cache, kms } = setUp()
    const header = await foreign(kms)
    const message = encodeHead('record', header.bytes)
    await cache.open(header, CONTEXT, {})
    expect(cache.recall(message, CONTEXT, undefined)).toBeDefined()
    const wrong = context as EncryptionContext
    expect(await codeOf(() => cache.recall(message, wrong, undefined))).toBe('ERR_CONTEXT_INVALID')
    expect(await codeOf(() => cache.byReference(header.commitment, wrong, {}))).toBe(
      'ERR_CONTEXT_INVALID',
    )
  })

  it('takes other wraps for no difference: they are not part of what the commitment binds', async () => {
    const { cache, kms } = setUp()
    const header = await foreign(kms)
    const key = await cache.open(header, CONTEXT, {})
    expect(cache.open(junk(header, 9), CONTEXT, {})).toBe(key)
  })

  it('asks the wraps first: a header for no configured key is refused though its key is held', async () => {
    const { cache, kms } = setUp()
    const header = await foreign(kms)
    await cache.open(header, CONTEXT, {})
    const other = encodeKeyHeader(header, [{ ...header.wraps[0]!, kekId: 'other' }])
    expect(await codeOf(() => cache.open(other, CONTEXT, {}))).toBe('ERR_ENVELOPE_UNKNOWN_KEY')
  })
})

describe('headers that failed a moment ago (W6.5)', () => {
  async function failed() {
    const world = setUp()
    const header = await foreign(world.kms)
    const bad = junk(header, 9)
    const fail = (h = bad, context = CONTEXT) => codeOf(() => world.cache.open(h, context, {}))
    expect(await fail()).toBe('ERR_DECRYPT_FAILED')
    expect(world.kms.calls).toEqual(['unwrap'])
    world.kms.calls.length = 0
    return { ...world, header, bad, fail }
  }

  it('are refused from memory for ten seconds', async () => {
    const { runtime, kms, fail } = await failed()
    runtime.nowMs = NOW + 9_999
    expect(await fail()).toBe('ERR_DECRYPT_FAILED')
    expect(kms.calls).toEqual([])
    runtime.nowMs = NOW + 10_000
    expect(await fail()).toBe('ERR_DECRYPT_FAILED')
    expect(kms.calls).toEqual(['unwrap'])
  })

  it('are refused from memory in a batch too', async () => {
    const { cache, kms, bad } = await failed()
    const [outcome] = await cache.openMany([{ header: bad, context: CONTEXT }], {})
    expect(outcome).toMatchObject({ ok: false, error: { code: 'ERR_DECRYPT_FAILED' } })
    expect(kms.calls).toEqual([])
    expect(cache.stats().refusals).toBe(1)
  })

  it('are learnt in a batch', async () => {
    const { cache, kms } = setUp()
    const bad = junk(await foreign(kms), 9)
    for (let i = 0; i < 2; i++) await cache.openMany([{ header: bad, context: CONTEXT }], {})
    expect(kms.calls).toEqual(['unwrap'])
  })

  it('do not hide another wrap of the same data key', async () => {
    const { cache, kms, header } = await failed()
    await cache.open(header, CONTEXT, {})
    expect(kms.calls).toEqual(['unwrap'])
  })

  it('push out no key, and are at most 256', async () => {
    const { cache, kms, bad, fail } = await failed()
    await cache.open(await foreign(kms), CONTEXT, {})
    const others = await Promise.all(Array.from({ length: 256 }, () => foreign(kms)))
    for (const other of others.slice(1)) await fail(junk(other, 9))
    kms.calls.length = 0
    await fail(bad)
    expect(kms.calls).toEqual([])
    await fail(junk(others[0]!, 9))
    // The least recently refused had to go, and it is asked again.
    await fail(junk(others[1]!, 9))
    expect(kms.calls).toEqual(['unwrap', 'unwrap'])
    expect(cache.stats()).toMatchObject({ entries: 1, evictions: 0 })
  })

  it.each<KmsErrorCode>([
    'ERR_KMS_UNAVAILABLE',
    'ERR_KMS_THROTTLED',
    'ERR_KMS_TIMEOUT',
    'ERR_KMS_UNAUTHENTICATED',
    'ERR_KMS_CONFIG',
  ])('are not an outage: %s is not remembered', async (code) => {
    const { cache, kms } = setUp()
    const header = await foreign(kms)
    const request = { header, context: CONTEXT }
    kms.onUnwrap = () => {
      throw new KmsError(code)
    }
    expect(await codeOf(() => cache.open(header, CONTEXT, {}))).toBe(code)
    expect(await cache.openMany([request], {})).toMatchObject([{ ok: false, error: { code } }])
    kms.onUnwrap = () => undefined
    const key = await cache.open(header, CONTEXT, {})
    expect(key.header).toBe(header)
  })
})

describe('a KMS call that failed', () => {
  it('leaves nothing in the cache of writers', async () => {
    const { cache, kms } = setUp()
    const generate = kms.generateDataKey.bind(kms)
    kms.generateDataKey = () => Promise.reject(new KmsError('ERR_KMS_UNAVAILABLE'))
    expect(await codeOf(() => cache.active(CONTEXT, USE))).toBe('ERR_KMS_UNAVAILABLE')
    expect(cache.stats().entries).toBe(0)
    kms.generateDataKey = generate
    expect(await cache.active(CONTEXT, USE)).toBeDefined()
    expect(cache.stats().entries).toBe(1)
  })
})
