// Each option of stackFromEnv changes something, and refuses wrong values.
import { describe, expect, it } from 'vitest'
import {
  isKmsError,
  type KmsEvent,
  type KmsSource,
  PRESETS,
  stackFromEnv,
  type StackFromEnvOptions,
} from '../../../src/index.ts'
import { sharedDataKeys } from '../../../src/data-keys/shared/index.ts'
import { KmsAuditTrail } from '../../../src/observability/index.ts'
import { localKmsFromEnv } from '../../../src/providers/local/index.ts'
import { awsKmsFromEnv } from '../../../src/providers/aws-kms/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { createFakeAws } from '../../../adapters/fakes/index.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { MemoryKeyValues } from '../../support/memory-key-values.ts'
import { fail, ScriptedKms } from '../../support/scripted-kms.ts'

const key = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')
const env = { EDGE_KMS_KEY_V1: key }

/** A stack over a KMS that follows a script. */
function scripted(options: Omit<StackFromEnvOptions, 'kms'> = {}) {
  const world = new FakeWorld()
  const kms = new ScriptedKms('scripted', { bindsContext: true })
  const source: KmsSource = () => kms
  const { network, runtime } = world.ports
  return { world, kms, ...stackOf({ kms: source, network, runtime, ...options }) }
}
const stackOf = (options: StackFromEnvOptions) => ({ stack: stackFromEnv({}, options) })

function refused(options: object): string {
  try {
    stackFromEnv(env, { kms: localKmsFromEnv, ...options })
  } catch (error) {
    if (isKmsError(error, 'ERR_KMS_CONFIG')) return error.message
    throw error
  }
  return 'accepted'
}

describe('resilience', () => {
  it.each(['development', 'production', 'highAvailability'] as const)(
    'preset %s sets retries and the time of cached keys',
    async (preset) => {
      const { world, kms, stack } = scripted({ resilience: preset })
      kms.always = fail('ERR_KMS_UNAVAILABLE')
      await world.settled(stack.cipher.encryptText('x'))
      const { retry, cacheTtlMs } = PRESETS[preset]
      expect(kms.calls).toHaveLength(retry === false ? 1 : retry.maxAttempts)
      kms.always = () => undefined
      world.nowMs += 60_000
      kms.calls.length = 0
      await world.settled(stack.cipher.encryptText('x'))
      world.nowMs += cacheTtlMs * 0.7
      await stack.cipher.encryptText('x')
      await turn()
      expect(kms.calls).toHaveLength(1)
      world.nowMs += cacheTtlMs * 0.4
      await world.settled(stack.cipher.encryptText('x'))
      expect(kms.calls).toHaveLength(2)
    },
  )

  it('values of the service, over the preset', async () => {
    const { world, kms, stack } = scripted({ resilience: { retry: { maxAttempts: 2 } } })
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    await world.settled(stack.cipher.encryptText('x'))
    expect(kms.calls).toHaveLength(2)
  })

  it('highSecurity is refused without an audit log, and works with one', async () => {
    expect(refused({ resilience: 'highSecurity' })).toContain('audit trail whose mode is closed')
    const audit = new KmsAuditTrail({
      mode: 'closed',
      sink: { write: () => Promise.resolve() },
      chain: { macKey: new Uint8Array(32).fill(9) },
    })
    const { cipher } = stackFromEnv(env, {
      kms: localKmsFromEnv,
      resilience: 'highSecurity',
      audit,
    })
    await cipher.encryptText('x')
  })

  it('circuits are shared in circuitStore', async () => {
    const world = new FakeWorld()
    const circuitStore = new MemoryKeyValues(() => world.now())
    const { kms, stack } = scripted({ circuitStore, resilience: { retry: false } })
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    await stack.cipher.encryptText('x').catch(() => undefined)
    await turn()
    expect(circuitStore.calls).toContain('swap circuit/scripted/encrypt')
  })
})

describe('cache and stores', () => {
  it('cache: false makes a data key for each message', async () => {
    const { kms, stack } = scripted({ cache: false })
    for (let i = 0; i < 3; i++) await stack.cipher.encryptText('x')
    expect(kms.calls).toHaveLength(3)
  })

  it('values of the cache, over those of the preset', async () => {
    const { kms, stack } = scripted({ cache: { maxMessages: 2 } })
    for (let i = 0; i < 4; i++) await stack.cipher.encryptText('x')
    expect(kms.calls).toHaveLength(2)
    expect(refused({ cache: { ttlMs: 0 } })).toBe(
      'cache.ttlMs must be an integer from 1 to 3600000, got 0',
    )
  })

  it('stacks share data keys', async () => {
    const store = new MemoryKeyValues(() => Date.now())
    const shared = () => sharedDataKeys({ store, partition: 'p', trustedStore: true })
    const [first, second] = [shared(), shared()].map((one) =>
      stackFromEnv(env, { kms: localKmsFromEnv, shared: one }),
    )
    await first?.cipher.encryptText('x')
    await second?.cipher.encryptText('x')
    expect(second?.keys.stats().adoptions).toBe(1)
  })

  it('messages by reference live in dataKeyStore, where form asks for them', async () => {
    const dataKeyStore = new MemoryDataKeyStore()
    const { cipher } = stackFromEnv(env, { kms: localKmsFromEnv, dataKeyStore, form: 'reference' })
    const text = await cipher.encryptText('x')
    expect(await cipher.decryptText(text)).toBe('x')
    expect((await dataKeyStore.list(undefined, 10)).keys).toHaveLength(1)
    expect(refused({ form: 'reference' })).toContain('requires a dataKeyStore')
  })
})

describe('the cipher', () => {
  it('takes its limits', async () => {
    const { cipher } = stackFromEnv(env, { kms: localKmsFromEnv, maxRecordBytes: 3 })
    await cipher.encryptText('abc')
    await expect(cipher.encryptText('abcd')).rejects.toMatchObject({
      code: 'ERR_ENVELOPE_TOO_LARGE',
    })
  })

  it('defers the work of calls that say nothing of it; a call that does comes first', async () => {
    const [all, own]: Promise<unknown>[][] = [[], []]
    const { world, kms, stack } = scripted({ defer: (work) => void all?.push(work) })
    const { cipher } = stack
    const text = await cipher.encryptText('x')
    const before = all?.length ?? 0
    world.nowMs += 290_000 // the key is renewed ahead
    await cipher.encryptText('x')
    expect(all?.length).toBeGreaterThan(before)
    expect(kms.given.every(({ defer }) => defer !== undefined)).toBe(true)
    const between = all?.length
    await turn()
    world.nowMs += 290_000
    await cipher.encryptText('x', { defer: (work) => void own?.push(work) })
    await cipher.decryptText(text, { defer: (work) => void own?.push(work) })
    expect(all?.length).toBe(between)
    expect(own?.length).toBeGreaterThan(0)
  })

  it('does all else over deferred keys: many, streams, ranges, rewrap, clear', async () => {
    const { cipher, keys } = stackFromEnv(env, {
      kms: localKmsFromEnv,
      dataKeyStore: new MemoryDataKeyStore(),
      defer: () => undefined,
    })
    const bytes = new Uint8Array(1_000).fill(7)
    const [sealed] = await cipher.encryptMany([{ plaintext: bytes }])
    if (sealed?.ok !== true) throw new Error('not sealed')
    expect(await cipher.decryptMany([{ envelope: sealed.value }])).toMatchObject([{ ok: true }])
    expect(await cipher.decrypt(await cipher.rewrap(sealed.value))).toEqual(bytes)
    const byReference = await cipher.encrypt(bytes, { form: 'reference' })
    keys.clear()
    expect(await cipher.decrypt(byReference)).toEqual(bytes)
    const stream = new Blob([bytes]).stream().pipeThrough(cipher.encryptStream())
    const message = new Uint8Array(await new Response(stream).arrayBuffer())
    const read = (start: number, end: number) => Promise.resolve(message.slice(start, end))
    const { plaintext } = await cipher.decryptRange(read, { start: 10, end: 20 })
    expect(new Uint8Array(await new Response(plaintext as never).arrayBuffer())).toHaveLength(10)
    cipher.clear()
    expect(keys.stats().entries).toBe(0)
  })
})

describe('ports', () => {
  it('observer hears of every call', async () => {
    const events: KmsEvent[] = []
    const observer = { observe: (event: KmsEvent) => void events.push(event) }
    const { cipher } = stackFromEnv(env, { kms: localKmsFromEnv, observer })
    await cipher.encryptText('x')
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'call', operation: 'generateDataKey' }),
    )
  })

  it('fetch sends the requests, with the timers of the platform', async () => {
    const aws = createFakeAws()
    const { accessKeyId, secretAccessKey } = aws.credentials
    const vars = {
      EDGE_KMS_AWS_KEY_ID: aws.createKey().arn,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    }
    const urls: string[] = []
    const fetch = (url: string, init: RequestInit): Promise<Response> => {
      urls.push(url)
      return aws.fetch(new Request(url, init))
    }
    const { cipher } = stackFromEnv(vars, { kms: awsKmsFromEnv, fetch })
    expect(await cipher.decryptText(await cipher.encryptText('x'))).toBe('x')
    expect(urls).toHaveLength(1)
  })

  it.each<[object, string]>([
    [{ fetch: () => undefined, network: new FakeWorld() }, 'fetch and network exclude each other'],
    [{ fetch: 'fetch' }, 'fetch must be a function'],
    [{ defer: true }, 'defer must be a function'],
    [{ cache: true }, 'cache must be a plain object'],
    [{ resilience: null }, 'resilience must be a plain object, got null'],
    [{ shared: '' }, 'shared must be the result of sharedDataKeys()'],
    [{ shared: 0 }, 'shared must be the result of sharedDataKeys()'],
    [{ circuitStore: 0 }, 'circuitStore must be an object with compareAndSwap()'],
    [{ dataKeyStore: false }, 'dataKeyStore must be a DataKeyStore'],
    [{ repairs: 1 }, 'repairs'],
    [{ kms: 'aws' }, 'kms must be a function such as awsKmsFromEnv'],
    [{ kms: [] }, 'kms must be a function such as awsKmsFromEnv'],
    [{ cahce: {} }, 'unknown option: cahce'],
    [{ resilience: 'prod' }, 'preset must be'],
    [{ resilience: { retries: 3 } }, 'unknown option: retries'],
    [{ observer: {} }, 'observer must be an object with observe()'],
    [{ shared: {} }, 'shared must be the result of sharedDataKeys()'],
    [{ circuitStore: {} }, 'circuitStore must be an object with compareAndSwap()'],
    [{ maxRecordBytes: -1 }, 'maxRecordBytes must be an integer'],
  ])('%o is refused', (options, said) => {
    expect(refused(options)).toContain(said)
  })

  it('bindings are for configurations that name one: a vendor takes no notice', () => {
    const bindings = { STORE: new MemoryKeyValues(() => 0) }
    expect(stackFromEnv(env, { kms: localKmsFromEnv, bindings }).kms.providerName).toBe('local')
  })

  it.each([undefined, null, 'aws', 5])('a source that returns %s is refused', (made) => {
    const source = (() => made) as unknown as KmsSource
    expect(() => stackFromEnv({}, { kms: source })).toThrow(
      expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
    )
  })

  it('no options at all are refused', () => {
    expect(() => stackFromEnv(env, undefined as never)).toThrow('options must be an object such as')
  })

  it('nothing is sent, and no DEK made, before the first use', async () => {
    const { kms, stack } = scripted()
    await turn()
    expect(kms.calls).toEqual([])
    expect(stack.keys.stats().entries).toBe(0)
  })
})
