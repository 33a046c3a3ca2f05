import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { killServer, killWriters, raceTwo } from '../support/race/processes.ts'
import { storesMiniflare } from './stores-miniflare.ts'

// Two processes on one workerd, and workerd killed with a write under way.

const child = fileURLToPath(new URL('store-races.child.mjs', import.meta.url))
const stores = ['D1', 'a Durable Object']

describe('clients', () => {
  let worker: Awaited<ReturnType<typeof storesMiniflare>>
  let url = ''
  beforeAll(async () => {
    worker = await storesMiniflare()
    url = (await worker.ready).href
  })
  afterAll(() => worker.dispose())

  const link = async (store: string, key: string): Promise<string> => {
    const params = new URLSearchParams({ store, key })
    return (await (await fetch(`${url}link?${params.toString()}`)).json()) as string
  }

  it.each(stores)('that race on %s: each link has one winner', async (store) => {
    const program = { command: process.execPath, args: [child, 'client', url, store] }
    const { won } = await raceTwo(program, 'race', 200)
    expect((won[0] ?? 0) + (won[1] ?? 0)).toBe(200)
  })

  it.each([...stores, 'Workers KV'])(
    'that are killed in a write to %s leave no third state',
    async (store) => {
      const program = { command: process.execPath, args: [child, 'client', url, store] }
      const found = await killWriters(program, 'crash', () => link(store, 'crash'), [0, 5, 100])
      expect(found.before + found.after).toBe(3)
    },
  )
})

describe('workerd that is killed in a write', () => {
  it.each(stores)('to %s has, once it is back, one of the two states', async (store) => {
    const folder = mkdtempSync(join(tmpdir(), 'edge-kms-stores-'))
    try {
      const program = { command: process.execPath, args: [child, 'server', folder, store] }
      for (const delay of [0, 10]) {
        const { acknowledged, tried } = await killServer(program, delay)
        const worker = await storesMiniflare(folder)
        const params = new URLSearchParams({ store, key: 'killed' })
        const response = await worker.dispatchFetch(`http://localhost/link?${params.toString()}`)
        const found = await response.json()
        await worker.dispose()
        expect([acknowledged, tried]).toContain(found)
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
