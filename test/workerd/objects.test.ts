import { Miniflare } from 'miniflare'
import { afterAll, describe, expect, it } from 'vitest'
import { workerModule } from './worker-module.ts'

// R40: EncryptedBucket over R2's binding inside workerd.

const worker = new Miniflare({
  modules: [await workerModule('./objects.worker.ts')],
  compatibilityDate: '2026-07-01',
  r2Buckets: ['FILES'],
})
afterAll(() => worker.dispose())

async function ask(path: string): Promise<string> {
  const response = await worker.dispatchFetch(`http://localhost${path}`)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}

const names = JSON.parse(await ask('/')) as string[]

describe('EncryptedBucket over R2', () => {
  for (const name of names) {
    it(name, async () => {
      expect(await ask(`/?${new URLSearchParams({ name }).toString()}`)).toBe('held')
    })
  }
})
