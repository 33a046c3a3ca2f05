import { Miniflare } from 'miniflare'
import { afterAll, expect, it } from 'vitest'
import { workerModule } from './worker-module.ts'

const worker = new Miniflare({
  modules: [await workerModule('./reset-object.worker.ts')],
  compatibilityDate: '2026-07-30',
  durableObjects: { STORE: { className: 'FragileStoreObject', useSQLite: true } },
})
afterAll(() => worker.dispose())

const ask = async (path: string): Promise<unknown> =>
  (await worker.dispatchFetch(`http://localhost/${path}`)).json()

it('a store works on after its Durable Object was reset, though a stub from before stays broken', async () => {
  expect(await ask('put')).toBe('stored')
  expect(await ask('reset')).toEqual(['400', 'broken', 'broken'])
  expect(await ask('get')).toEqual([1, 2, 3])
  expect(await ask('put')).toBe('stored')
})
