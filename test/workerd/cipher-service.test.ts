import type { Miniflare } from 'miniflare'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cipherMiniflare } from './cipher-miniflare.ts'
let worker: Miniflare
const run = async (name: string, parameters: Record<string, string> = {}): Promise<unknown> => {
  const query = new URLSearchParams(parameters)
  const answer = await worker.dispatchFetch(`http://localhost/${name}?${query.toString()}`)
  if (!answer.ok) throw new Error(await answer.text())
  return answer.json()
}
beforeAll(async () => {
  worker = await cipherMiniflare('./cipher-app.worker.ts')
})
afterAll(() => worker.dispose())
describe('x', () => {
  it.each(['methods', 'methods?NO_PROPS', 'methods?OTHER_PROPS', 'methods?BROKEN','methods?READER', 'encrypt?PII', 'encrypt?TWO_KEYS', 'encrypt?WRONG', 'rpc-create-ciphers', 'rpc-create-ciphers?SLOW', 'item-refused', 'many-outcomes', 'too-large', 'subarray', 'null-prototype', 'inspect', 'errors', 'defer', 'notes'])('%s', async (name) => {
    const [one, binding] = name.split('?') as [string, string | undefined]
    console.log(name, JSON.stringify(await run(one, binding === undefined ? {} : { binding }), null, 1))
  })
  it('many', async () => { console.log(await run('many', { count: '1000' }), await run('many', { count: '60', size: '500000' }), JSON.stringify(await run('notes'))) })
})
