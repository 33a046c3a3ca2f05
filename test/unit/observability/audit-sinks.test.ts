import { describe, expect, it } from 'vitest'
import {
  type AuditRecord,
  type AuditSink,
  fetchSink,
  lineSink,
  queueSink,
  storeSink,
  toOcsf,
  verifyAuditLog,
} from '../../../src/observability/index.ts'
import type { Network } from '../../../src/ports/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { call, macKey, setup } from './audit-fixture.ts'

async function records(sink: AuditSink, count = 3): Promise<void> {
  const { kms } = setup({ sink })
  for (let i = 0; i < count; i++) await kms.generateDataKey(call)
}

it.each<[string, () => unknown]>([
  ['a line sink without a function', () => lineSink({} as never)],
  ['a line sink of no format', () => lineSink(() => undefined, 'ocfs' as never)],
  ['a queue that is none', () => queueSink({} as never)],
  ['a queue of no format', () => queueSink({ sendBatch: () => Promise.resolve() }, '' as never)],
  ['a fetch of no format', () => fetchSink({ url: 'https://a.example', format: 'x' as never })],
  [
    'a misspelt option of fetch',
    () => fetchSink({ url: 'https://a.example', header: {} } as never),
  ],
])('refuses %s', (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
})

describe('what arrives at a sink verifies', () => {
  it('lines of JSON', async () => {
    const lines: string[] = []
    await records(lineSink((line) => void lines.push(line)))
    const parsed = lines.map((line) => JSON.parse(line) as AuditRecord)
    expect(parsed).toHaveLength(3)
    expect((await verifyAuditLog(parsed, { macKey })).problems).toEqual([])
    expect(lines.every((line) => !line.includes('\n'))).toBe(true)
  })

  it('OCSF, with the record inside', async () => {
    const lines: string[] = []
    await records(
      lineSink((line) => void lines.push(line), 'ocsf'),
      2,
    )
    const inside = lines.map(
      (line) => (JSON.parse(line) as { unmapped: { edge_kms: AuditRecord } }).unmapped.edge_kms,
    )
    expect(inside).toHaveLength(2)
    expect((await verifyAuditLog(lines, { macKey })).problems).toEqual([])
    expect((await verifyAuditLog(inside, { macKey })).problems).toEqual([])
  })

  it('a queue, in batches of a hundred', async () => {
    const sizes: number[] = []
    const bodies: unknown[] = []
    const queue = {
      sendBatch: (messages: readonly { body: unknown }[]) => {
        sizes.push(messages.length)
        bodies.push(...messages.map(({ body }) => body))
        return Promise.resolve()
      },
    }
    const { kms, log } = setup()
    for (let i = 0; i < 250; i++) await kms.generateDataKey(call)
    await queueSink(queue).write(log, {})
    expect(sizes).toEqual([100, 100, 50])
    expect((await verifyAuditLog(bodies as AuditRecord[], { macKey })).problems).toEqual([])
  })

  it('a queue, in batches of 200 kB', async () => {
    const sizes: number[] = []
    const sendBatch = (messages: readonly { body: unknown }[]) => {
      sizes.push(JSON.stringify(messages).length)
      return Promise.resolve()
    }
    const { kms, log } = setup()
    await kms.generateDataKey(call)
    const [record] = log as [AuditRecord]
    const keys = Array.from({ length: 16 }, () => ({
      provider: 'p',
      kekId: 'k'.repeat(2_000),
      kekVersion: '',
    }))
    const large = { ...record, event: { ...record.event, keys } }
    await queueSink({ sendBatch }).write(
      Array.from({ length: 20 }, () => large),
      {},
    )
    expect(sizes).toHaveLength(4)
    expect(Math.max(...sizes)).toBeLessThan(256_000)
  })

  it('a store, once each; a second record at one place is refused', async () => {
    const store = new MemoryDataKeyStore()
    const { kms, log } = setup({ sink: storeSink(store) })
    for (let i = 0; i < 12; i++) await kms.generateDataKey(call)
    const { keys } = await store.list(undefined, 100)
    expect(keys).toHaveLength(12)
    const { kms: other, log: made } = setup()
    await other.generateDataKey({ context: {} })
    await expect(storeSink(store).write(made, {})).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    })
    await storeSink(store).write(log, {})
  })
})

describe('fetchSink', () => {
  function network(status: number) {
    const sent: { url: string; init: RequestInit }[] = []
    const fake: Network = {
      fetch: (url, init) => {
        sent.push({ url, init })
        return Promise.resolve(new Response(null, { status }))
      },
      after: () => () => undefined,
      jitter: () => 0,
    }
    return { fake, sent }
  }

  it('posts lines, and does not record its headers', async () => {
    const { fake, sent } = network(202)
    const headers = { authorization: 'Bearer canary' }
    const { kms } = setup({
      sink: fetchSink({ url: 'https://log.example/in', headers, network: fake }),
    })
    await kms.generateDataKey(call)
    expect(sent[0]?.url).toBe('https://log.example/in')
    expect(new Headers(sent[0]?.init.headers).get('authorization')).toBe('Bearer canary')
    expect(sent[0]?.init.body as string).not.toContain('canary')
    expect((sent[0]?.init.body as string).endsWith('}\n')).toBe(true)
  })

  it.each<[string, HeadersInit]>([
    ['Headers', new Headers({ authorization: 'Bearer canary' })],
    ['pairs', [['authorization', 'Bearer canary']]],
  ])('sends headers that are given as %s', async (_, headers) => {
    const { fake, sent } = network(202)
    await records(fetchSink({ url: 'https://log.example', headers, network: fake }), 1)
    const all = new Headers(sent[0]?.init.headers)
    expect(all.get('authorization')).toBe('Bearer canary')
    expect(all.get('content-type')).toBe('application/x-ndjson')
  })

  it.each<[string, unknown]>([
    ['a number', 5],
    ['null', null],
    ['a name with a space', { 'a b': 'canary' }],
    ['a value with a line feed', { a: 'canary\nb: c' }],
  ])('refuses headers that are none, and does not show them: %s', (_, headers) => {
    const make = (): unknown => fetchSink({ url: 'https://log.example', headers: headers as never })
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
    expect(make).not.toThrow(/canary/)
  })

  it.each([302, 400, 503])('a status of %d is a failure', async (status) => {
    const { kms, world } = setup({
      sink: fetchSink({ url: 'https://log.example', network: network(status).fake }),
    })
    expect(await world.settled(kms.generateDataKey(call))).toMatchObject({
      reason: { code: 'ERR_STORE_UNAVAILABLE' },
    })
  })

  it.each(['http://log.example', 'https://a:b@log.example', 'log'])('refuses %s', (url) => {
    expect(() => fetchSink({ url })).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
  })
})

it('refuses a store that is eventual', () => {
  const store = Object.assign(Object.create(new MemoryDataKeyStore()) as MemoryDataKeyStore, {
    consistency: 'eventual',
  })
  expect(() => storeSink(store)).toThrow(expect.objectContaining({ code: 'ERR_KMS_CONFIG' }))
})

it('R32 OCSF 6003: type, status, times, who and which keys', async () => {
  const { kms, inner, log } = setup({ actor: () => 'alice' })
  await kms.generateDataKey(call)
  inner.always = () => {
    throw new Error('boom')
  }
  await kms.rotateKey({}).catch(() => undefined)
  const [made, failed] = log.map(toOcsf)
  expect(made).toMatchObject({
    category_uid: 6,
    class_uid: 6003,
    activity_id: 1,
    type_uid: 600301,
    severity_id: 1,
    status_id: 1,
    time: log[0]?.event.atMs,
    metadata: { version: '1.9.0', sequence: 0, product: { name: 'edge-kms' } },
    api: { operation: 'generateDataKey', service: { name: 'scripted' } },
    actor: { user: { name: 'alice' } },
    resources: [{ type: 'KEK', uid: 'k', namespace: 'scripted' }],
  })
  expect(failed).toMatchObject({
    activity_id: 3,
    type_uid: 600303,
    status_id: 2,
    status_code: 'ERR_KMS_UNAVAILABLE',
  })
})
