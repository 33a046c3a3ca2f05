import { Miniflare, Response } from 'miniflare'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { workerModule } from './worker-module.ts'

// The cases of a shared promise that were measured in workerd, with the cache that ships. Each
// request is a request of its own to one isolate; the KMS answers when the test says so.

let worker: Miniflare
let calls: string[] = []
let failing = false
let held: (() => void)[] | undefined

async function kms(request: { readonly url: string }): Promise<Response> {
  if (request.url.startsWith('https://gate.test/')) {
    await asked(1)
    return new Response('asked')
  }
  calls.push(new URL(request.url).pathname.slice(1))
  const waiting = held
  if (waiting !== undefined) await new Promise<void>((go) => waiting.push(go))
  return new Response('answer', { status: failing ? 503 : 200 })
}

const hold = (): void => {
  held = []
}
const release = (): void => {
  for (const go of held?.splice(0) ?? []) go()
  held = undefined
}
const asked = async (count: number): Promise<void> => {
  while (calls.length < count) await new Promise((resolve) => setTimeout(resolve, 5))
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
/** Long enough for workerd to end a request that has answered. */
const ended = (): Promise<void> => pause(250)
/** Time that a follower waits for a dead leader. */
const WAIT_MS = 300

let tenants = 0
let tenant = ''

const urlOf = (path: string): string =>
  `http://localhost${path}${path.includes('?') ? '&' : '?'}tenant=${tenant}`

async function send(path: string, body?: Uint8Array): Promise<{ status: number; bytes: Buffer }> {
  const url = urlOf(path)
  const response = await worker.dispatchFetch(url, body && { method: 'POST', body })
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
}

beforeAll(async () => {
  const module = await workerModule('./cache.worker.ts')
  worker = new Miniflare({
    modules: [module],
    compatibilityDate: '2026-07-01',
    outboundService: kms,
  })
  await worker.ready
})

afterAll(() => worker.dispose())

beforeEach(() => {
  tenant = `t${String(++tenants)}`
  calls = []
  failing = false
})

describe('the traps, as they are', () => {
  it('hangs where a request awaits what another one that has answered began', async () => {
    hold()
    await send('/naive-and-leave')
    await asked(1)
    await ended()
    release()
    expect((await send('/naive')).bytes.toString()).toBe('hung')
  })

  it('lets no two requests share a Response', async () => {
    expect((await send('/response')).status).toBe(200)
    expect((await send('/response')).status).toBe(500)
  })
})

describe('R15 R16 a miss that is under way in another request', () => {
  it('is shared while that request runs: 1 call for 20 requests of 50 misses', async () => {
    hold()
    const all = Array.from({ length: 20 }, () => send('/encrypt-50'))
    await asked(1)
    release()
    const answers = await Promise.all(all)
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(calls).toEqual(['generate'])
  })

  /** Each of five that joined the dead call waits for it, and then one makes the next call for all. */
  async function takenOver(): Promise<void> {
    const followers = Array.from({ length: 5 }, () => send(`/encrypt?wait=${String(WAIT_MS)}`))
    await asked(2)
    await pause(2 * WAIT_MS) // a caller that waits for the dead one has given up by now
    release()
    const answers = await Promise.all(followers)
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(calls).toEqual(['generate', 'generate'])
  }

  it.each(['/encrypt-and-leave', '/encrypt-and-throw'])(
    'is taken over where that request is gone: %s',
    async (path) => {
      hold()
      await send(path)
      await asked(1)
      await ended()
      await takenOver()
    },
  )

  it('is taken over where the client of that request is gone', async () => {
    hold()
    const client = new AbortController()
    const leader = worker.dispatchFetch(urlOf('/encrypt'), { signal: client.signal })
    await asked(1)
    client.abort()
    await expect(leader).rejects.toThrow()
    await ended()
    await takenOver()
  })

  it('is shared where that request has answered but defers its work', async () => {
    hold()
    await send('/encrypt-and-leave?defer')
    await asked(1)
    await ended()
    const follower = send('/encrypt')
    release()
    expect((await follower).status).toBe(200)
    expect(calls).toEqual(['generate'])
  })

  it.each([
    ['goes on for a follower', '/encrypt-and-abort?defer', '/encrypt'],
    ['is taken over', '/encrypt-and-abort', `/encrypt?wait=${String(WAIT_MS)}`],
  ])('%s when the request that began it is aborted: %s', async (_, leading, following) => {
    hold()
    const leader = send(leading)
    await asked(1)
    const follower = send(following)
    expect((await leader).bytes.toString()).toBe('aborted')
    release()
    expect((await follower).status).toBe(200)
  })

  it('fails for all who wait, and is not cached', async () => {
    failing = true
    const answers = await Promise.all([send('/encrypt'), send('/encrypt')])
    expect(answers.map(({ status }) => status)).toEqual([500, 500])
    failing = false
    expect((await send('/encrypt')).status).toBe(200)
  })

  it('gives keys that other requests can use, to write and to read', async () => {
    const first = await send('/encrypt')
    const second = await send('/encrypt')
    expect((await send('/decrypt', second.bytes)).bytes.toString()).toBe('text')
    expect((await send('/decrypt', first.bytes)).bytes.toString()).toBe('text')
    expect(calls).toEqual(['generate'])
  })
})
