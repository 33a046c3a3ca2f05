import { Miniflare, Response } from 'miniflare'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { FOLLOWER_WAIT_MS } from '../../src/data-keys/cache/parts.ts'
import { workerModule } from './worker-module.ts'

// R38: requests that miss the cache and leave before the KMS answers keep nothing in the isolate. Work that a
// request began never settles once it is gone, so neither a flight nor a request may wait for that.

const REQUESTS = 40
/** A flight is forgotten when no follower would wait for it any more. */
const FORGOTTEN_MS = 3 * FOLLOWER_WAIT_MS
/** Long enough for workerd to end a request that has answered. */
const ENDED_MS = 250
/** A request that has no answer by then hangs. */
const HUNG_MS = 30_000

type Verb = 'encrypt' | 'decrypt'
/**
 * The request answers, its client is gone, its signal aborts, or it answers and defers its work. Without
 * its client a request goes on here: miniflare does not cancel it.
 */
type Leave = 'answer' | 'client' | 'signal' | 'defer'

interface State {
  readonly flights: number
  readonly waits: number
}

let module: Awaited<ReturnType<typeof workerModule>>
let worker: Miniflare
/** KMS calls, and whether they are answered. */
let calls = 0
let answers = false
let gate: Promise<void>
let openGate = (): void => undefined
let dispose = (): Promise<void> => Promise.resolve()

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function start(callTimeoutMs: number): Promise<void> {
  calls = 0
  answers = false
  gate = new Promise((resolve) => (openGate = resolve))
  let release = (): void => undefined
  const disposed = new Promise<void>((resolve) => (release = resolve))
  worker = new Miniflare({
    modules: [module],
    compatibilityDate: '2026-07-01',
    bindings: { CALL_TIMEOUT_MS: callTimeoutMs },
    outboundService: async ({ url }: { readonly url: string }) => {
      if (url.startsWith('https://gate.test/')) await gate
      else {
        calls += 1
        if (!answers) await disposed
      }
      return new Response('answer')
    },
  })
  dispose = async () => {
    release()
    openGate()
    await worker.dispose()
  }
  await worker.ready
}

async function send(path: string, body?: Buffer, signal?: AbortSignal): Promise<Buffer> {
  const limit = AbortSignal.timeout(HUNG_MS)
  const response = await worker.dispatchFetch(`http://localhost${path}`, {
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    ...(body && { method: 'POST', body }),
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  if (!response.ok) throw new Error(bytes.toString())
  return bytes
}

async function stateAfter(advanceMs: number): Promise<State> {
  return JSON.parse(String(await send(`/state?advance=${String(advanceMs)}`))) as State
}

/** Returns what each request sends: a text, or an envelope that this cache has not opened. */
async function bodiesOf(verb: Verb, tenants: readonly string[]): Promise<Buffer[]> {
  if (verb === 'encrypt') return tenants.map(() => Buffer.from('text'))
  const unique = [...new Set(tenants)]
  const made = unique.map(
    async (tenant) => [tenant, await send(`/envelope?tenant=${tenant}`)] as const,
  )
  const envelopes = new Map(await Promise.all(made))
  return tenants.map((tenant) => envelopes.get(tenant)!)
}

/** Sends the requests, which all leave once each has asked the KMS or waits for another one that has. */
async function sendAndLeave(
  verb: Verb,
  leave: Leave,
  tenants: readonly string[],
  bodies: readonly Buffer[],
): Promise<void> {
  const client = new AbortController()
  const all = tenants.map((tenant, i) => {
    const path = `/${verb}?tenant=${tenant}&leave=${leave}`
    return send(path, bodies[i], leave === 'client' ? client.signal : undefined).then(
      String,
      () => 'gone',
    )
  })
  while (calls + (await stateAfter(0)).waits < REQUESTS) await pause(20)
  client.abort()
  openGate()
  const said = leave === 'client' ? 'gone' : 'left'
  expect(await Promise.all(all)).toEqual(tenants.map(() => said))
  await pause(ENDED_MS)
}

/** Waits, without moving the clock, until every flight has landed. */
async function landed(): Promise<void> {
  for (let i = 0; i < 200 && (await stateAfter(0)).flights > 0; i++) await pause(50)
  expect((await stateAfter(0)).flights).toBe(0)
}

beforeAll(async () => {
  module = await workerModule('./flights.worker.ts')
})

afterEach(() => dispose())

describe.each(['encrypt', 'decrypt'] as const)(
  '40 requests that miss and leave first: %s',
  (verb) => {
    const tenants = Array.from({ length: REQUESTS }, (_, i) => `t${String(i)}`)

    /** The KMS answers again: all succeed, and none waits for a request that is gone. */
    async function allSucceed(bodies: readonly Buffer[]): Promise<void> {
      answers = true
      await Promise.all(tenants.map((tenant, i) => send(`/${verb}?tenant=${tenant}`, bodies[i])))
      expect(calls).toBe(2 * REQUESTS)
      expect(await stateAfter(0)).toEqual({ flights: 0, waits: 0 })
    }

    it.each(['answer', 'client'] as const)(
      'keep no flight for longer than 6 s: %s',
      async (leave) => {
        await start(60_000)
        const bodies = await bodiesOf(verb, tenants)
        await sendAndLeave(verb, leave, tenants, bodies)
        expect(await stateAfter(FORGOTTEN_MS - 1)).toEqual({ flights: REQUESTS, waits: 0 })
        expect(await stateAfter(1)).toEqual({ flights: 0, waits: 0 })
        await allSucceed(bodies)
      },
    )

    it('keep no flight when their signals abort', async () => {
      await start(60_000)
      const bodies = await bodiesOf(verb, tenants)
      await sendAndLeave(verb, 'signal', tenants, bodies)
      expect(await stateAfter(0)).toEqual({ flights: 0, waits: 0 })
      await allSucceed(bodies)
    })

    it('keep no flight after callTimeoutMs when they defer their work', async () => {
      await start(3_000)
      const bodies = await bodiesOf(verb, tenants)
      await sendAndLeave(verb, 'defer', tenants, bodies)
      await landed()
      expect(await stateAfter(0)).toEqual({ flights: 0, waits: 0 })
      await allSucceed(bodies)
    })

    it.each(['answer', 'client', 'signal'] as const)(
      'let the next request of their one context succeed: %s',
      async (leave) => {
        await start(60_000)
        const one = tenants.map(() => 'one')
        const bodies = await bodiesOf(verb, one)
        await sendAndLeave(verb, leave, one, bodies)
        answers = true
        const before = calls
        await send(`/${verb}?tenant=one`, bodies[0])
        expect(calls).toBeGreaterThan(before)
        if (leave !== 'client') expect(calls).toBe(before + 1)
        await landed()
      },
    )
  },
)
