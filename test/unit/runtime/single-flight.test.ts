import { expect, it } from 'vitest'
import type { Network } from '../../../src/ports/index.ts'
import { SingleFlight } from '../../../src/runtime/index.ts'

function manual(): { network: Network; fire: () => void; timers: Set<() => void> } {
  const timers = new Set<() => void>()
  const network: Network = {
    fetch: () => Promise.reject(new Error('no network')),
    after(_delayMs, callback) {
      timers.add(callback)
      return () => timers.delete(callback)
    },
    jitter: () => 0,
  }
  return {
    network,
    timers,
    fire() {
      for (const timer of timers) timer()
    },
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

it('R15 a thousand callers share one call, and the next makes another', async () => {
  const { network, timers } = manual()
  const flight = new SingleFlight<number>(network, 1_000)
  let calls = 0
  const work = async (): Promise<number> => {
    await turn()
    return ++calls
  }
  const results = await Promise.all(Array.from({ length: 1_000 }, () => flight.run('k', work, {})))
  expect(new Set(results)).toEqual(new Set([1]))
  expect(await flight.run('k', work, {})).toBe(2)
  expect(timers.size).toBe(0)
})

it('keeps keys apart', async () => {
  const flight = new SingleFlight<string>(manual().network, 1_000)
  const work = (value: string) => () => turn().then(() => value)
  expect(
    await Promise.all([flight.run('a', work('a'), {}), flight.run('b', work('b'), {})]),
  ).toEqual(['a', 'b'])
})

it('R15 a follower whose leader died works for itself when its timer fires', async () => {
  const { network, fire } = manual()
  const flight = new SingleFlight<string>(network, 1_000)
  void flight.run('k', () => new Promise<string>(() => undefined), {})
  const follower = flight.run('k', () => Promise.resolve('own'), {})
  await turn()
  fire()
  expect(await follower).toBe('own')
})

it('R16 one abort does not end the call of the others', async () => {
  const flight = new SingleFlight<string>(manual().network, 1_000)
  const controller = new AbortController()
  const work = (): Promise<string> => turn().then(() => 'shared')
  const leader = flight.run('k', work, { signal: controller.signal })
  const follower = flight.run('k', work, {})
  const gone = new AbortController()
  const other = flight.run('k', work, { signal: gone.signal })
  const reason = new Error('stop')
  controller.abort(reason)
  gone.abort(reason)
  await expect(leader).rejects.toBe(reason)
  await expect(other).rejects.toBe(reason)
  expect(await follower).toBe('shared')
})

it('R16 a failure is shared by those who wait, and not kept', async () => {
  const flight = new SingleFlight<string>(manual().network, 1_000)
  const boom = new Error('boom')
  const fails = (): Promise<string> => turn().then(() => Promise.reject(boom))
  const both = await Promise.allSettled([flight.run('k', fails, {}), flight.run('k', fails, {})])
  expect(both.map((one) => (one as PromiseRejectedResult).reason as Error)).toEqual([boom, boom])
  expect(await flight.run('k', () => Promise.resolve('fresh'), {})).toBe('fresh')
})

it('hands the work to defer, so that it outlives the caller', async () => {
  const flight = new SingleFlight<string>(manual().network, 1_000)
  const deferred: Promise<unknown>[] = []
  const fails = (): Promise<string> => Promise.reject(new Error('boom'))
  await expect(flight.run('k', fails, { defer: (work) => deferred.push(work) })).rejects.toThrow()
  expect(deferred.length).toBe(1)
  await expect(deferred[0]).resolves.toBeUndefined()
})
