import { describe, expect, it } from 'vitest'
import {
  BulkheadKms,
  CachedKms,
  CircuitBreakerKms,
  composeKms,
  EnvelopeCipher,
  type KeyManagementService,
  type KmsByContext,
  kmsByContext,
  type KmsByContextOptions,
  KmsError,
  MultiKms,
  RetryKms,
  type WrappedKey,
} from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { kmsContract } from '../../../src/testing/index.ts'
import { runContract } from '../../support/contract.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

const KEY = crypto.getRandomValues(new Uint8Array(32))
const KEYS: ReadonlyMap<string, string> = new Map([
  ['acme', 'key-of-acme'],
  ['globex', 'key-of-globex'],
])
const acme = { context: { tenant: 'acme' } }
const globex = { context: { tenant: 'globex' } }

function local(kekId: string): KeyManagementService {
  return createLocalKms({ kekId, versions: [{ version: 1, key: KEY }] })
}

const keyFor: KmsByContextOptions['keyFor'] = ({ tenant }) => KEYS.get(tenant as string)

function customers(options: Partial<KmsByContextOptions> = {}): KmsByContext {
  return kmsByContext({ keyFor, create: local, ...options })
}

/** Customers whose KMSs are scripted: `tenant` is the provider's name. */
function scripted(tenants: readonly string[], options: Partial<KmsByContextOptions> = {}) {
  const servers = new Map(tenants.map((name) => [name, new ScriptedKms(name)]))
  const kms = kmsByContext({
    keyFor: ({ tenant }) => tenant,
    create: (name) => servers.get(name) as ScriptedKms,
    ...options,
  })
  return { kms, server: (name: string) => servers.get(name) as ScriptedKms }
}

describe.each([
  ['bare', local],
  ['a stack for each', (kekId: string) => composeKms(local(kekId))],
  ['that come later', (kekId: string) => Promise.resolve(local(kekId))],
])('contract: KMS by context, %s', (_, create) => {
  const make = (suffix: string): KeyManagementService =>
    kmsByContext({
      keyFor: ({ tenant = 'acme', none }) =>
        none === undefined ? `${tenant}${suffix}` : undefined,
      create,
      capabilities: { bindsContext: true, revealsVersion: true },
    })
  runContract(
    kmsContract(make('').capabilities, {
      create: () => make(''),
      createOther: () => make('-of-others'),
      customers: { one: { tenant: 'acme' }, other: { tenant: 'globex' }, none: { none: '' } },
    }),
  )
})

describe('the KEK of a context', () => {
  it('gives keyFor the context of the caller, frozen, without the entries of the format', async () => {
    const seen: object[] = []
    const kms = customers({
      keyFor: (context) => {
        seen.push(context)
        return keyFor(context)
      },
    })
    await new EnvelopeCipher({ kms }).encrypt(new Uint8Array(1), acme)
    expect(seen.length).toBeGreaterThan(0)
    for (const context of seen) {
      expect({ ...context }).toEqual({ tenant: 'acme' })
      expect(Object.isFrozen(context)).toBe(true)
      expect('constructor' in context).toBe(false)
    }
  })

  it('refuses a wrap of another customer before any call of a KMS', async () => {
    const { kms, server } = scripted(['acme', 'globex'])
    const { wraps } = await kms.generateDataKey(acme)
    await kms.generateDataKey(globex)
    const before = [server('acme').calls.length, server('globex').calls.length]
    for (const work of [kms.unwrapDataKey(wraps, globex), kms.rewrapDataKey(wraps, globex)])
      await expect(work).rejects.toMatchObject({ code: 'ERR_ENVELOPE_UNKNOWN_KEY' })
    const [outcome] = await kms.unwrapMany([{ wraps, ...globex }], {})
    expect(outcome).toMatchObject({ ok: false, error: { code: 'ERR_ENVELOPE_UNKNOWN_KEY' } })
    expect([server('acme').calls.length, server('globex').calls.length]).toEqual(before)
  })

  it('gives the KMS of a customer the wraps of its own KEK only', async () => {
    const { kms, server } = scripted(['acme', 'globex'])
    const own = await kms.generateDataKey(acme)
    const foreign = await kms.generateDataKey(globex)
    const opened = await kms.unwrapDataKey([...foreign.wraps, ...own.wraps], acme)
    expect(opened.by).toBe(own.wraps[0])
    expect(server('globex').calls).toEqual(['generateDataKey'])
  })

  it.each([
    ['a number', 7],
    ['an empty text', ''],
    ['a promise', Promise.resolve('key-of-acme')],
    ['null', null],
    ['a text that is too long', 'x'.repeat(2_049)],
  ])('refuses %s as the name of a key', async (_, name) => {
    const kms = customers({ keyFor: () => name as never })
    await expect(kms.generateDataKey(acme)).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message: expect.stringContaining('keyFor must answer') as string,
    })
  })

  it('does not repeat what keyFor throws, and keeps a KmsError as it is', async () => {
    const throwing = (error: Error) =>
      customers({
        keyFor: () => {
          throw error
        },
      })
    const bare = await throwing(new Error('tenant acme')).generateDataKey(acme).catch(String)
    expect(bare).toContain('keyFor failed')
    expect(bare).not.toContain('acme')
    const own = new KmsError('ERR_KMS_ACCESS_DENIED')
    await expect(throwing(own).generateDataKey(acme)).rejects.toBe(own)
  })

  it('refuses a context that is not a plain object of strings', async () => {
    const kms = customers()
    for (const context of [new Map([['tenant', 'acme']]), { tenant: 7 }, { tenant: undefined }])
      await expect(kms.generateDataKey({ context: context as never })).rejects.toMatchObject({
        code: 'ERR_CONTEXT_INVALID',
      })
  })
})

describe('the KMSs that are held', () => {
  it('makes one KMS for calls that want the same at the same time', async () => {
    let made = 0
    const kms = customers({
      create: async (name) => {
        made += 1
        await Promise.resolve()
        return local(name)
      },
    })
    await Promise.all(Array.from({ length: 20 }, () => kms.generateDataKey(acme)))
    expect(made).toBe(1)
  })

  it('does not wait for ever for a create of a request that died', async () => {
    const world = new FakeWorld()
    let made = 0
    const kms = customers({
      ...world.ports,
      create: (name) => (++made === 1 ? new Promise<never>(() => undefined) : local(name)),
    })
    void kms.generateDataKey(acme).catch(() => undefined)
    const follower = await world.settled(kms.generateDataKey(acme), 2_000)
    expect(follower.status).toBe('fulfilled')
    expect(made).toBe(2)
  })

  it('ends a create that never answers', async () => {
    const world = new FakeWorld()
    const kms = customers({ ...world.ports, create: () => new Promise<never>(() => undefined) })
    const result = await world.settled(kms.generateDataKey(acme), 10_000)
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'ERR_KMS_TIMEOUT' } })
    expect(world.timers).toBe(0)
  })

  it('remembers a failed create for a second, and no longer', async () => {
    const world = new FakeWorld()
    let made = 0
    const kms = customers({
      ...world.ports,
      create: (name) => {
        if (++made === 1) throw new KmsError('ERR_KMS_UNAUTHENTICATED')
        return local(name)
      },
    })
    for (let i = 0; i < 3; i++)
      await expect(kms.generateDataKey(acme)).rejects.toMatchObject({
        code: 'ERR_KMS_UNAUTHENTICATED',
      })
    expect(made).toBe(1)
    await kms.generateDataKey(globex)
    await world.advance(1_000)
    await kms.generateDataKey(acme)
    expect(made).toBe(3)
  })

  it('does not remember the abort of a caller as a failure', async () => {
    const control = new AbortController()
    const kms = customers({
      create: async (name) => {
        await new Promise((resolve) => setTimeout(resolve, 5))
        return local(name)
      },
    })
    const work = kms.generateDataKey({ ...acme, signal: control.signal })
    control.abort(new Error('enough'))
    await expect(work).rejects.toThrow('enough')
    await expect(kms.generateDataKey(acme)).resolves.toBeDefined()
  })

  it('holds no more than maxEntries, and lets a call in flight end', async () => {
    let answer = (): void => undefined
    const { kms, server } = scripted(['a', 'b', 'c'], { maxEntries: 2 })
    server('a').script = [() => new Promise<void>((resolve) => (answer = resolve))]
    const slow = kms.generateDataKey({ context: { tenant: 'a' } })
    await new Promise((resolve) => setTimeout(resolve, 1))
    for (const tenant of ['b', 'c', 'b']) await kms.generateDataKey({ context: { tenant } })
    expect(kms.stats()).toEqual({ entries: 2, evictions: 1 })
    answer()
    expect((await slow).wraps[0]?.provider).toBe('a')
  })

  it('makes a KMS anew after forget, also while one is being made', async () => {
    const answers: ((kms: KeyManagementService) => void)[] = []
    const kms = customers({ create: () => new Promise((resolve) => answers.push(resolve)) })
    const early = kms.generateDataKey(acme)
    kms.forget('key-of-acme')
    const late = kms.generateDataKey(acme)
    answers[0]?.(local('old'))
    answers[1]?.(local('new'))
    expect((await early).wraps[0]?.kekId).toBe('old')
    expect((await late).wraps[0]?.kekId).toBe('new')
    expect((await kms.generateDataKey(acme)).wraps[0]?.kekId).toBe('new')
    kms.forget()
    expect(kms.stats().entries).toBe(0)
  })

  it.each([
    ['nothing', undefined],
    ['another object', { providerName: 'x' }],
    [
      'a KMS that only decrypts',
      createLocalKms({ usage: 'decrypt', versions: [{ version: 1, key: KEY }] }),
    ],
  ])('refuses %s from create', async (_, made) => {
    const kms = customers({ create: () => made as never })
    await expect(kms.generateDataKey(acme)).rejects.toMatchObject({
      code: 'ERR_KMS_CONFIG',
      message: expect.stringMatching(/^create /) as string,
    })
  })

  it('refuses a KMS that cannot do what capabilities promises', async () => {
    const kms = customers({ capabilities: { rotates: true } })
    await expect(kms.generateDataKey(acme)).rejects.toThrow('without rotates')
  })

  it.each([
    [{ keyFor: 'tenant' }, 'keyFor must be a function'],
    [{ create: undefined }, 'create must be a function'],
    [{ maxEntries: 0 }, 'maxEntries must be an integer'],
    [{ maxEntries: 100_001 }, 'maxEntries must be an integer'],
    [{ capabilities: { batches: true } }, 'unknown option: batches'],
    [{ capabilities: { rotates: 'yes' } }, 'capabilities.rotates must be true or false'],
    [{ capabilities: { usage: 'all' } }, 'capabilities.usage must be'],
    [{ capabilities: [] }, 'capabilities must be a plain object'],
    [{ capabilities: Object.create({ rotates: true }) }, 'capabilities must be a plain object'],
    [{ capabilities: { wraps: 'two' } }, 'capabilities.wraps must be'],
    [{ capabilities: { limits: 5 } }, 'capabilities.limits must be a plain object'],
    [{ capabilities: { limits: { maxContextBytes: -1 } } }, 'capabilities.limits.maxContextBytes'],
    [
      { capabilities: { limits: { maxWrappedBytes: 72, maxContextBytes: 'all' } } },
      'capabilities.limits.maxContextBytes must be',
    ],
    [{ keyfor: () => 'a' }, 'unknown option: keyfor'],
  ])('refuses the options %j', (options, message) => {
    expect(() => customers(options as never)).toThrow(message)
  })
})

describe('batches of several customers', () => {
  const item = async (kms: KeyManagementService, tenant: string) => {
    const context = { tenant }
    return { wraps: (await kms.generateDataKey({ context })).wraps, context }
  }

  it('gives each customer its part as one batch, and keeps the order', async () => {
    const servers = ['a', 'b'].map((name) => new ScriptedKms(name, { batches: true }))
    const kms = kmsByContext({
      keyFor: ({ tenant }) => tenant,
      create: (name) => servers.find(({ providerName }) => providerName === name) as ScriptedKms,
    })
    const items = await Promise.all(['a', 'b', 'a', 'b', 'a'].map((name) => item(kms, name)))
    const outcomes = await kms.unwrapMany(items, {})
    const providers = outcomes.map((outcome) => outcome.ok && outcome.value.by.provider)
    expect(providers).toEqual(['a', 'b', 'a', 'b', 'a'])
    expect(servers[0]?.calls.filter((call) => call.startsWith('unwrapMany'))).toEqual([
      'unwrapMany 3',
    ])
  })

  it('fails the items of a customer that is down, and of no other', async () => {
    const { kms, server } = scripted(['a', 'b'])
    const genuine = await Promise.all(['a', 'b', 'a'].map((name) => item(kms, name)))
    const items = [...genuine, { wraps: [], context: { tenant: 'a' } }]
    server('a').always = fail('ERR_KMS_KEY_DISABLED')
    const codes = (await kms.unwrapMany(items, {})).map((one) => (one.ok ? 'ok' : one.error.code))
    expect(codes).toEqual([
      'ERR_KMS_KEY_DISABLED',
      'ok',
      'ERR_KMS_KEY_DISABLED',
      'ERR_ENVELOPE_UNKNOWN_KEY',
    ])
  })

  it('ends the part of customers that hang, and gives out those of all others', async () => {
    const world = new FakeWorld()
    const names = Array.from({ length: 80 }, (_, i) => `t${String(i)}`)
    const { kms, server } = scripted(names, world.ports)
    const items = await Promise.all(names.map((name) => item(kms, name)))
    for (const name of names.slice(0, 70)) server(name).always = () => new Promise(() => undefined)
    const startedMs = world.nowMs
    const result = await world.settled(kms.unwrapMany(items, {}))
    const outcomes = result.status === 'fulfilled' ? result.value : []
    expect(outcomes.map(({ ok }) => ok)).toEqual(names.map((_, i) => i >= 70))
    expect(outcomes[0]).toMatchObject({ error: { code: 'ERR_KMS_TIMEOUT' } })
    // The cache above waits 15 s for the whole batch.
    expect(world.nowMs - startedMs).toBeLessThan(15_000)
    expect(world.timers).toBe(0)
  })

  it('wipes what was opened when the caller gives up', async () => {
    const control = new AbortController()
    const { kms, server } = scripted(['a', 'b'])
    const items = await Promise.all(['a', 'b'].map((name) => item(kms, name)))
    let answer = (): void => undefined
    server('b').always = () => new Promise<void>((resolve) => (answer = resolve))
    const work = kms.unwrapMany(items, { signal: control.signal })
    await new Promise((resolve) => setTimeout(resolve, 5))
    control.abort(new Error('enough'))
    await expect(work).rejects.toThrow('enough')
    answer()
    await new Promise((resolve) => setTimeout(resolve, 5))
    const opened = [...server('a').made.slice(1), ...server('b').made.slice(1)]
    expect(opened).toHaveLength(2)
    for (const secret of opened) expect(() => secret.length).toThrow('disposed')
  })
})

describe('health, versions and rotation', () => {
  it('is healthy before any use, and asks at most three KEKs', async () => {
    const names = Array.from({ length: 100 }, (_, i) => `t${String(i)}`)
    const { kms, server } = scripted(names)
    expect(await kms.healthCheck({})).toEqual({ healthy: true, checks: [] })
    for (const tenant of names) await kms.generateDataKey({ context: { tenant } })
    const report = await kms.healthCheck({})
    expect(report.healthy).toBe(true)
    expect(report.checks.map(({ provider }) => provider)).toEqual(['t97', 't98', 't99'])
    server('t99').always = fail('ERR_KMS_UNAVAILABLE')
    const one = await kms.healthCheck({})
    expect(one.healthy).toBe(true)
    expect(one.checks.filter(({ healthy }) => !healthy)).toMatchObject([{ provider: 't99' }])
    for (const name of ['t98', 't97']) server(name).always = fail('ERR_KMS_UNAVAILABLE')
    expect((await kms.healthCheck({})).healthy).toBe(false)
  })

  it('reports on the KEK of a context, and says so if there is none', async () => {
    const { kms, server } = scripted(['a', 'b'])
    const context = { tenant: 'a' }
    expect(await kms.healthCheck({ context })).toMatchObject({ healthy: true })
    server('a').always = fail('ERR_KMS_KEY_DISABLED')
    const sick = { healthy: false, code: 'ERR_KMS_KEY_DISABLED' }
    expect(await kms.healthCheck({ context })).toMatchObject({ healthy: false, checks: [sick] })
    const stranger = await customers().healthCheck({ context: { tenant: 'nobody' } })
    const gone = { healthy: false, code: 'ERR_KMS_KEY_NOT_FOUND' }
    expect(stranger).toMatchObject({ healthy: false, checks: [gone] })
  })

  it('rotates the KEK of the context alone, also through a stack', async () => {
    const { kms, server } = scripted(['a', 'b'])
    await composeKms(kms).rotateKey({ context: { tenant: 'a' } })
    expect(server('a').calls).toEqual(['rotateKey'])
    expect(server('b').calls).toEqual([])
  })
})

describe('layers around all customers', () => {
  it.each([
    ['CircuitBreakerKms', (kms: KeyManagementService) => new CircuitBreakerKms({ kms })],
    ['BulkheadKms', (kms: KeyManagementService) => new BulkheadKms({ kms })],
    ['RetryKms', (kms: KeyManagementService) => new RetryKms({ kms })],
    [
      'a breaker over several',
      (kms: KeyManagementService) =>
        new CircuitBreakerKms({ kms: new MultiKms({ read: [kms, local('x')] }) }),
    ],
    [
      'composeKms with retries',
      (kms: KeyManagementService) => composeKms(kms, { retry: { maxAttempts: 2 } }),
    ],
    [
      'composeKms with a breaker',
      (kms: KeyManagementService) => composeKms(kms, { circuitBreaker: {} }),
    ],
  ])('%s is refused: customers would share its state', (_, around) => {
    expect(() => around(customers())).toThrow(/inside `create`/)
  })

  it('composeKms gives the deadline, and another KEK beside that of the customer', async () => {
    const kms = composeKms([customers(), local('ours')])
    const { wraps } = await kms.generateDataKey(acme)
    expect(wraps.map(({ kekId }) => kekId)).toEqual(['key-of-acme', 'ours'])
    const { by } = await kms.unwrapDataKey(wraps, acme)
    expect(by.kekId).toBe('key-of-acme')
    await expect(kms.unwrapDataKey(wraps.slice(0, 1), globex)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_UNKNOWN_KEY',
    })
  })
})

describe('EnvelopeCipher over a KMS by context', () => {
  const text = new TextEncoder().encode('4111 1111')

  it.each(['inline', 'reference'] as const)(
    'opens, ranges and rewraps %s messages of each customer',
    async (form) => {
      const dataKeyStore = new MemoryDataKeyStore()
      const cipher = new EnvelopeCipher({ kms: customers(), dataKeyStore, form })
      const fresh = new EnvelopeCipher({ kms: customers(), dataKeyStore, form })
      for (const options of [acme, globex]) {
        const envelope = await cipher.encrypt(text, options)
        expect(await fresh.decrypt(envelope, options)).toEqual(text)
        const swapped = options === acme ? globex : acme
        await expect(fresh.decrypt(envelope, swapped)).rejects.toMatchObject({
          code: expect.stringMatching(/^ERR_(DECRYPT_FAILED|ENVELOPE_UNKNOWN_KEY)$/) as string,
        })
        await expect(
          fresh.decrypt(envelope, { context: { tenant: 'nobody' } }),
        ).rejects.toMatchObject({
          code: 'ERR_ENVELOPE_UNKNOWN_KEY',
        })
      }
    },
  )

  it('decrypts a page of several customers while one of them is down', async () => {
    const down = new Set<string>()
    const make = (): EnvelopeCipher =>
      new EnvelopeCipher({
        kms: customers({
          create: (kekId) => (down.has(kekId) ? Promise.reject(new Error('down')) : local(kekId)),
        }),
      })
    const items = await Promise.all(
      [acme, globex, acme].map(async (options) => ({
        ...options,
        envelope: await make().encrypt(text, options),
      })),
    )
    down.add('key-of-acme')
    const outcomes = await make().decryptMany(items)
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, true, false])
  })

  it('reads ranges and rewraps under the KEK of the context', async () => {
    const cipher = new EnvelopeCipher({ kms: customers() })
    const stream = new Response(text).body?.pipeThrough(cipher.encryptStream(acme))
    const sealed = new Uint8Array(await new Response(stream).arrayBuffer())
    const read = (start: number, end: number): Promise<Uint8Array<ArrayBuffer>> =>
      Promise.resolve(sealed.slice(start, end))
    const fresh = new EnvelopeCipher({ kms: customers() })
    const { plaintext } = await fresh.decryptRange(read, { start: 0, end: 4 }, acme)
    expect(new TextDecoder().decode(plaintext)).toBe('4111')
    await expect(fresh.decryptRange(read, { start: 0, end: 4 }, globex)).rejects.toThrow()
    const envelope = await cipher.encrypt(text, acme)
    const next = await fresh.rewrap(envelope, acme)
    expect(await cipher.decrypt(next, acme)).toEqual(text)
    await expect(fresh.rewrap(envelope, globex)).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_(DECRYPT_FAILED|ENVELOPE_UNKNOWN_KEY)$/) as string,
    })
  })

  it('refuses a wrap of another customer in the header of a message, before any call', async () => {
    const calls: string[] = []
    const watched = (kekId: string): KeyManagementService => {
      const kms = local(kekId)
      const unwrap = kms.unwrapDataKey.bind(kms)
      kms.unwrapDataKey = (wraps: readonly WrappedKey[], options) => {
        calls.push(...wraps.map((wrap) => `${kekId} ${wrap.kekId}`))
        return unwrap(wraps, options)
      }
      return kms
    }
    // The context is not in the header, so that only the KEK tells the messages apart.
    const requiredContextKeys = ['tenant']
    const cipher = new EnvelopeCipher({ kms: customers(), requiredContextKeys })
    const envelope = await cipher.encrypt(text, acme)
    const reader = new CachedKms({ kms: customers({ create: watched }), requiredContextKeys })
    const fresh = new EnvelopeCipher({ keys: reader })
    await expect(fresh.decrypt(envelope, globex)).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_UNKNOWN_KEY',
    })
    expect(calls).toEqual([])
    expect(await fresh.decrypt(envelope, acme)).toEqual(text)
    expect(calls).toEqual(['key-of-acme key-of-acme'])
  })
})
