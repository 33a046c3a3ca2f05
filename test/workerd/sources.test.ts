import { Miniflare } from 'miniflare'
import { afterAll, describe, expect, it } from 'vitest'
import { workerModule } from './worker-module.ts'

// The sources of a rotation inside workerd, against the bindings of miniflare.

const worker = new Miniflare({
  modules: [await workerModule('./sources.worker.ts')],
  compatibilityDate: '2026-07-01',
  d1Databases: ['DB'],
  r2Buckets: ['FILES'],
})
afterAll(() => worker.dispose())

async function ask(params: Record<string, string> = {}): Promise<string> {
  const url = `http://localhost/?${new URLSearchParams(params).toString()}`
  const response = await worker.dispatchFetch(url)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}

type Suites = [suite: string, cases: { name: string; skip?: string }[]][]

for (const [suite, cases] of JSON.parse(await ask()) as Suites) {
  describe(suite, () => {
    for (const { name, skip } of cases) {
      it(name, async (context) => {
        if (skip !== undefined) context.skip(skip)
        expect(await ask({ suite, name })).toBe('held')
      })
    }
  })
}
