import { Miniflare, Response } from 'miniflare'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { workerModule } from './worker-module.ts'

// A request must not wait without a timer of its own for what another request holds. Each request is
// a request of its own to one isolate; the KMS answers when the test says so.

let worker: Miniflare
let calls = 0
let inFlight = 0
let most = 0
let failing = false
let held: (() => void)[] | undefined

async function kms(request: { readonly url: string }): Promise<Response> {
  if (new URL(request.url).pathname === '/sink') {
    sinkReached()
    await sinkHeld
    return new Response('written')
  }
  calls++
  most = Math.max(most, ++inFlight)
  const waiting = held
  if (waiting !== undefined) await new Promise<void>((go) => waiting.push(go))
  inFlight--
  return new Response('answer', { status: failing ? 503 : 200 })
}

interface Verified {
  readonly problems: readonly unknown[]
  readonly places: number
}

let sinkHeld: Promise<void> | undefined
let releaseSink = (): void => undefined
let sinkReached = (): void => undefined
/** The sink does not answer from now on; resolves when it is asked. */
const holdSink = (): Promise<void> => {
  sinkHeld = new Promise((resolve) => (releaseSink = resolve))
  return new Promise((resolve) => (sinkReached = resolve))
}

const hold = (): void => {
  held = []
}
const release = (): void => {
  for (const go of held?.splice(0) ?? []) go()
  held = undefined
}
const asked = async (count: number): Promise<void> => {
  while (calls < count) await new Promise((resolve) => setTimeout(resolve, 5))
}
/** Long enough for workerd to end a request that has answered. */
const ended = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100))

async function send(path: string): Promise<string> {
  return (await worker.dispatchFetch(`http://localhost${path}`)).text()
}

beforeAll(async () => {
  const module = await workerModule('./resilience.worker.ts')
  worker = new Miniflare({
    modules: [module],
    compatibilityDate: '2026-07-01',
    outboundService: kms,
  })
  await worker.ready
})

afterAll(() => worker.dispose())

beforeEach(() => {
  calls = 0
  inFlight = 0
  most = 0
  failing = false
})

it('R25 requests of one isolate wait for their turn, one call at a time', async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => send('/patient')))
  expect(answers).toEqual(answers.map(() => 'ok'))
  expect(calls).toBe(20)
  expect(most).toBe(1)
})

it('R25 by default four calls of one isolate are in flight, 64 wait, and more are turned away', async () => {
  hold()
  let refused = 0
  const answers = Array.from({ length: 100 }, async () => {
    const answer = await send('/default')
    if (answer === 'ERR_KMS_THROTTLED') refused++
    return answer
  })
  while (refused < 100 - 4 - 64) await new Promise((resolve) => setTimeout(resolve, 5))
  await ended()
  expect([calls, refused]).toEqual([4, 32])
  release()
  expect((await Promise.all(answers)).filter((answer) => answer === 'ok')).toHaveLength(68)
  expect(most).toBe(4)
})

it('R25 a request that dies in the middle of its call does not keep the others out', async () => {
  hold()
  await send('/bulkhead?leave')
  await asked(1)
  const waiting = send('/bulkhead')
  await ended()
  release()
  expect(await waiting).toBe('ok')
  expect(calls).toBe(2)
})

it('R25 a request that waits ends on its own timer when the call before it hangs', async () => {
  hold()
  const first = send('/strict')
  await asked(1)
  const others = await Promise.all(Array.from({ length: 3 }, () => send('/strict')))
  expect(others).toEqual(others.map(() => 'ERR_KMS_THROTTLED'))
  release()
  expect(await first).toBe('ok')
  expect(calls).toBe(1)
})

it('R25 a request that dies in the queue takes no wake-up with it', async () => {
  hold()
  const first = send('/patient')
  await asked(1)
  await send('/patient?leave')
  const last = send('/patient')
  await ended()
  release()
  expect(await first).toBe('ok')
  expect(await last).toBe('ok')
})

it('R23 a probe that dies with its request is made again by another', async () => {
  failing = true
  expect(await send('/breaker')).toBe('ERR_KMS_UNAVAILABLE')
  failing = false
  await new Promise((resolve) => setTimeout(resolve, 350))
  hold()
  await send('/breaker?leave')
  await asked(2)
  await ended()
  release()
  const during = await send('/breaker')
  await new Promise((resolve) => setTimeout(resolve, 400))
  expect(await send('/breaker')).toBe('ok')
  expect(['ERR_KMS_UNAVAILABLE', 'ok']).toContain(during)
})

it('R32 the audit trail waits for no other request: one that dies leaves no hole', async () => {
  hold()
  await send('/audit?leave')
  await asked(1)
  release()
  const answers = await Promise.all(Array.from({ length: 10 }, () => send('/audit')))
  expect(answers).toEqual(answers.map(() => 'ok'))
  expect(JSON.parse(await send('/verify'))).toMatchObject({ problems: [] })
})

it('R32 a request that dies while it writes for others is replaced', async () => {
  const before = JSON.parse(await send('/verify')) as Verified
  const reached = holdSink()
  await send('/audit?leave')
  await reached
  const others = Array.from({ length: 5 }, () => send('/audit'))
  await ended()
  releaseSink()
  expect(await Promise.all(others)).toEqual(others.map(() => 'ok'))
  const after = JSON.parse(await send('/verify')) as Verified
  expect(after.problems).toEqual([])
  // The record of the one that died is there too: others wrote it.
  expect(after.places).toBe(before.places + 6)
})
