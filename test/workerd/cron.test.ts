import { Miniflare } from 'miniflare'
import { afterAll, describe, expect, it } from 'vitest'
import { workerModule } from './worker-module.ts'

// A rotation that the cron trigger of a Worker starts, inside workerd, with D1 of miniflare.

const key = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')
const worker = new Miniflare({
  modules: [await workerModule('./cron.worker.ts')],
  compatibilityDate: '2026-07-01',
  d1Databases: ['DB'],
  bindings: { KEYS: [key(), key()] },
  unsafeTriggerHandlers: true,
})
afterAll(() => worker.dispose())

const ask = async (path: string): Promise<unknown> =>
  (await worker.dispatchFetch(`http://localhost${path}`)).json()
/** Lets the cron trigger fire. Returns the status. */
const fire = async (): Promise<string> =>
  (await worker.dispatchFetch('http://localhost/cdn-cgi/handler/scheduled?cron=0+*+*+*+*')).text()

describe('scheduledRotation in workerd', () => {
  it('rotates when the cron trigger fires, and finds nothing to do when it fires again', async () => {
    expect(await ask('/set-up')).toEqual({ versions: ['1', '1', '1'], failures: [] })
    expect(await fire()).toBe('ok')
    expect(await ask('/')).toEqual({ versions: ['2', '2', '2'], failures: [] })
    expect(await fire()).toBe('ok')
    expect(await ask('/')).toEqual({ versions: ['2', '2', '2'], failures: [] })
  })
})
