import { Miniflare, Response } from 'miniflare'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { D1_SCHEMA, type D1DatabaseBinding } from '../../adapters/workers/index.ts'
import type { Seen } from './shared-keys.worker.ts'
import { workerModule } from './worker-module.ts'

// Caches that start cold in four isolates of workerd, over the stores that Workers have.

interface Fetches {
  fetch(url: string): Promise<Response>
}

const ISOLATES = ['a', 'b', 'c', 'd']
let miniflare: Miniflare
let calls: string[] = []
let held: (() => void)[] | undefined
let tenants = 0
let tenant = ''

async function kms(request: { readonly url: string }): Promise<Response> {
  calls.push(new URL(request.url).pathname.slice(1))
  const waiting = held
  if (waiting !== undefined) await new Promise<void>((go) => waiting.push(go))
  return new Response('answer')
}

const count = (name: string): number => calls.filter((call) => call === name).length

async function send(isolate: string, path: string, query: Record<string, string>): Promise<string> {
  const worker = (await miniflare.getWorker(isolate)) as unknown as Fetches
  const params = new URLSearchParams({ tenant, ...query })
  const response = await worker.fetch(`http://localhost${path}?${params.toString()}`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}

/** So many caches in each isolate, all at once. */
async function start(store: string, caches: number, others = {}): Promise<Seen> {
  const query = { store, caches: String(caches), ...others }
  const all = (
    await Promise.all(ISOLATES.map(async (isolate) => send(isolate, '/cold', query)))
  ).map((text) => JSON.parse(text) as Seen)
  const sum = (name: 'adoptions' | 'leases' | 'failures'): number =>
    all.reduce((total, seen) => total + seen[name], 0)
  return {
    commitments: [...new Set(all.flatMap(({ commitments }) => commitments))],
    adoptions: sum('adoptions'),
    leases: sum('leases'),
    failures: sum('failures'),
  }
}

beforeAll(async () => {
  const module = await workerModule('./shared-keys.worker.ts')
  miniflare = new Miniflare({
    workers: ISOLATES.map((name) => ({
      name,
      modules: [module],
      compatibilityDate: '2026-07-01',
      kvNamespaces: { KV: 'shared' },
      d1Databases: { DB: 'shared' },
      // One object for all of them, in the first.
      durableObjects: {
        STORE: {
          className: 'EdgeKmsStoreObject',
          useSQLite: true,
          ...(name !== 'a' && { scriptName: 'a' }),
        },
      },
      outboundService: kms,
    })),
  })
  await miniflare.ready
  const database = (await miniflare.getD1Database('DB', 'a')) as unknown as D1DatabaseBinding
  for (const sql of D1_SCHEMA.split(';\n')) if (sql !== '') await database.prepare(sql).all()
})

afterAll(() => miniflare.dispose())

beforeEach(() => {
  tenant = `t${String(++tenants)}`
  calls = []
  held = undefined
})

describe('R18 cold caches on a strong store of Workers', () => {
  it.each([
    ['a Durable Object', 1_000],
    ['D1', 200],
  ])('cost 1 GenerateDataKey and one unwrap each, on %s: %i of them', async (store, caches) => {
    const seen = await start(store, caches / ISOLATES.length)
    expect(seen.failures).toBe(0)
    expect(seen.commitments).toHaveLength(1)
    expect(seen).toMatchObject({ leases: 1, adoptions: caches - 1 })
    expect(count('generateDataKey')).toBe(1)
    expect(count('unwrapDataKey')).toBe(caches - 1)
  })

  it('take over from a request that left with the lease: exactly one does', async () => {
    held = []
    await send('b', '/leave', { caches: '1', waits: 'for its lease', leaseMs: '2000' })
    while (calls.length < 1) await new Promise((resolve) => setTimeout(resolve, 5))
    held = undefined
    const seen = await start('a Durable Object', 5, { leaseMs: '2000' })
    expect(seen.commitments).toHaveLength(1)
    expect(seen).toMatchObject({ leases: 1, adoptions: 19 })
    expect(count('generateDataKey')).toBe(2)
  })
})

describe('R18 cold caches on an eventual store of Workers', () => {
  it.each(['Workers KV', 'the Cache API'])(
    'make none once one is seen, which is at once in this emulator: %s',
    async (store) => {
      await send('a', '/cold', { store, caches: '1' })
      expect(count('generateDataKey')).toBe(1)
      const seen = await start(store, 10)
      expect(count('generateDataKey')).toBe(1)
      expect(seen).toMatchObject({ adoptions: 40, leases: 0, failures: 0 })
      expect(seen.commitments).toHaveLength(1)
    },
  )
})
