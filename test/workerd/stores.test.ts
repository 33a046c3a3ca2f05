import { afterAll, describe, expect, it } from 'vitest'
import { storesMiniflare } from './stores-miniflare.ts'

// The contract suites inside workerd, against the bindings of miniflare.

const worker = await storesMiniflare()
afterAll(() => worker.dispose())

type Suites = [suite: string, cases: { name: string; skip?: string }[]][]

async function ask(path: string, params: Record<string, string> = {}): Promise<string> {
  const url = `http://localhost${path}?${new URLSearchParams(params).toString()}`
  const response = await worker.dispatchFetch(url)
  const text = await response.text()
  if (!response.ok) throw new Error(text)
  return text
}

for (const [suite, cases] of JSON.parse(await ask('/contracts')) as Suites) {
  describe(`contract: ${suite}`, () => {
    for (const { name, skip } of cases) {
      it(name, async (context) => {
        if (skip !== undefined) context.skip(skip)
        expect(await ask('/', { suite, name })).toBe('held')
      })
    }
  })
}
