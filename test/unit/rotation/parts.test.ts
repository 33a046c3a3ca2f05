import { describe, expect, it } from 'vitest'
import { KMS_ERROR_CODES, KmsError } from '../../../src/index.ts'
import {
  zeroCounts,
  failuresOf,
  ROTATION_CLASSES,
  sumCounts,
} from '../../../src/rotation/counts.ts'
import { CurrentKeks } from '../../../src/rotation/current-keks.ts'
import { classOfError } from '../../../src/rotation/error-class.ts'
import { tell } from '../../../src/rotation/events.ts'
import { inParallel } from '../../../src/rotation/in-parallel.ts'
import { requestsOfRewrap } from '../../../src/rotation/metered-kms.ts'
import { Pacer } from '../../../src/rotation/pacer.ts'
import { Quarantine } from '../../../src/rotation/quarantine.ts'
import { callOutside } from '../../../src/rotation/source-calls.ts'
import { StateFile } from '../../../src/rotation/state-file.ts'
import { memoryStateStore } from '../../../src/rotation/state-store.ts'
import { webNetwork, webRuntime } from '../../../src/runtime/index.ts'
import { Clock, kmsAt, StagedKms } from './fixture.ts'

describe('inParallel', () => {
  it('keeps the order and never has more in flight than it may', async () => {
    let inFlight = 0
    let most = 0
    const results = await inParallel([5, 1, 4, 2, 3], 2, async (ms) => {
      most = Math.max(most, (inFlight += 1))
      await new Promise((resolve) => setTimeout(resolve, ms))
      inFlight -= 1
      return ms * 2
    })
    expect(results).toEqual([10, 2, 8, 4, 6])
    expect(most).toBe(2)
    expect(await inParallel([], 2, () => Promise.resolve(1))).toEqual([])
  })

  it('begins nothing after a rejection, and rejects once all has settled', async () => {
    const begun: number[] = []
    let settled = 0
    const work = async (i: number): Promise<void> => {
      begun.push(i)
      if (i === 1) throw new Error('first')
      await new Promise((resolve) => setTimeout(resolve, 5))
      settled += 1
    }
    await expect(inParallel([0, 1, 2, 3, 4, 5], 2, work)).rejects.toThrow('first')
    expect(begun).toEqual([0, 1])
    expect(settled).toBe(1)
  })
})

describe('Pacer', () => {
  it('spreads requests over the time that the rate gives them', async () => {
    const clock = new Clock()
    const pacer = new Pacer(clock.runtime, clock.network)
    await pacer.take(1_000, undefined)
    expect(clock.nowMs - 1_700_000_000_000).toBe(0)
    pacer.limit(100)
    pacer.limit(10)
    pacer.limit(50)
    expect(pacer.perSecond).toBe(10)
    for (let i = 0; i < 11; i += 1) await pacer.take(2, undefined)
    expect(clock.nowMs - 1_700_000_000_000).toBe(2_000)
    clock.nowMs += 60_000
    const from = clock.nowMs
    await pacer.take(1, undefined)
    await pacer.take(1, undefined)
    expect(clock.nowMs - from, 'an idle minute saves nothing up').toBe(100)
  })

  it('ends its wait when the signal aborts', async () => {
    const pacer = new Pacer(webRuntime, webNetwork)
    pacer.limit(0.001)
    await pacer.take(1, undefined)
    const controller = new AbortController()
    const waiting = pacer.take(1, controller.signal)
    controller.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })
})

describe('CurrentKeks', () => {
  it('asks the KMS again after ten seconds, or when told to', async () => {
    const clock = new Clock()
    const kms = new StagedKms(kmsAt(2))
    const keks = new CurrentKeks(kms, clock.ports)
    await keks.of(undefined, undefined)
    clock.nowMs += 9_999
    await keks.of({ any: 'context' }, undefined)
    expect(kms.calls).toHaveLength(1)
    clock.nowMs += 1
    await keks.of(undefined, undefined)
    expect(kms.calls).toHaveLength(2)
    keks.forget()
    await keks.of(undefined, undefined)
    expect(kms.calls).toHaveLength(3)
  })

  it.each([[], [{}], 'x', null])('refuses %j as an answer', async (answer) => {
    const kms = new StagedKms(kmsAt(2))
    kms.stage = () => answer ?? 'null'
    const keks = new CurrentKeks(kms, new Clock().ports)
    await expect(keks.of(undefined, undefined)).rejects.toMatchObject({
      code: 'ERR_KMS_RESPONSE_INVALID',
    })
  })

  it('ends a call that is never answered', async () => {
    const kms = new StagedKms(kmsAt(2))
    kms.stage = () => new Promise(() => undefined)
    const ports = { runtime: webRuntime, network: webNetwork, callTimeoutMs: 5 }
    const keks = new CurrentKeks(kms, ports)
    await expect(keks.of(undefined, undefined)).rejects.toMatchObject({ code: 'ERR_KMS_TIMEOUT' })
  })
})

describe('Quarantine', () => {
  const value = { source: 's', id: 'i', field: 'f', value: 'v' }

  it('knows a value by its place and its bytes', async () => {
    const quarantine = new Quarantine([])
    await quarantine.add(value)
    expect(await new Quarantine(quarantine.ids).holds(value)).toBe(true)
    for (const other of [
      { source: 'x' },
      { id: 'x' },
      { field: 'x' },
      { value: 'x' },
      { source: 'si', id: '' },
    ])
      expect(await quarantine.holds({ ...value, ...other })).toBe(false)
  })

  it('holds a thousand values at most', async () => {
    const quarantine = new Quarantine([])
    for (let i = 0; i < 1_010; i += 1) await quarantine.add({ ...value, id: String(i) })
    expect(quarantine.ids).toHaveLength(1_000)
  })
})

describe('classes of errors', () => {
  it('has a class for each code but those of a mistake in the program', () => {
    const mistakes = KMS_ERROR_CODES.filter(
      (code) => classOfError(new KmsError(code)) === undefined,
    )
    expect(mistakes).toEqual([
      'ERR_ENVELOPE_TOO_LARGE',
      'ERR_DATA_KEY_EXHAUSTED',
      'ERR_KMS_CONFIG',
      'ERR_KMS_UNSUPPORTED',
    ])
  })
})

describe('counts', () => {
  it('add up', () => {
    const one = { ...zeroCounts(), done: 1, corrupt: 2, denied: 3, 'unknown-key': 4, kmsCalls: 5 }
    expect(sumCounts(one, one)).toMatchObject({ done: 2, kmsCalls: 10, records: 0 })
    expect(failuresOf(one)).toBe(9)
    expect(ROTATION_CLASSES).toHaveLength(10)
  })

  it.each([
    ['open', 1, false, 3],
    ['open', 1, true, 2],
    ['open', 2, false, 5],
    ['kms', 1, false, 2],
    ['kms', 1, true, 1],
    ['kms', 2, false, 3],
  ] as const)(
    'verify: %s with %i KEKs, inside: %s, is %i requests',
    (verify, keks, inside, requests) => {
      expect(requestsOfRewrap(verify, { keks, rewrapsInside: inside })).toBe(requests)
    },
  )
})

describe('calls of the caller', () => {
  const ports = { network: webNetwork, sourceTimeoutMs: 5 }

  it('pass an error of ours, and hide the words of another', async () => {
    const ours = new KmsError('ERR_KMS_CONFIG')
    await expect(callOutside(ports, 'x', undefined, () => Promise.reject(ours))).rejects.toBe(ours)
    const theirs = callOutside(ports, 'x', undefined, () => {
      throw new Error('token=1234')
    })
    await expect(theirs).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      message: 'x failed',
    })
  })

  it('end with the reason of the signal, whatever was thrown', async () => {
    const controller = new AbortController()
    const call = callOutside(ports, 'x', controller.signal, () => {
      controller.abort(new Error('mine'))
      throw new DOMException('aborted', 'AbortError')
    })
    await expect(call).rejects.toThrow('mine')
    const own = callOutside(ports, 'x', undefined, () => {
      throw new DOMException('aborted', 'AbortError')
    })
    await expect(own).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })

  it('tell: an observer that throws or rejects changes nothing', async () => {
    const event = {
      type: 'lifecycle',
      operation: 'startRotation',
      job: 'j',
      keys: [],
      atMs: 1,
    } as const
    tell(() => {
      throw new Error('x')
    }, event)
    const rejecting = (): unknown => Promise.reject(new Error('x'))
    tell(rejecting, event)
    await new Promise((resolve) => setTimeout(resolve, 5))
  })
})

describe('StateFile', () => {
  const file = (store = memoryStateStore()) =>
    new StateFile(store, { network: webNetwork, sourceTimeoutMs: 1_000 })

  it('writes only over what was read', async () => {
    const store = memoryStateStore()
    const first = await file(store).read('a', undefined)
    expect(first).toEqual({ text: undefined, value: undefined })
    await file(store).write('a', first, { n: 1 }, undefined)
    await expect(file(store).write('a', first, { n: 2 }, undefined)).rejects.toMatchObject({
      code: 'ERR_STORE_CONFLICT',
      retryable: true,
    })
    expect((await file(store).read('a', undefined)).value).toEqual({ n: 1 })
  })

  it('refuses what is not JSON', async () => {
    const store = memoryStateStore()
    await store.save('a', undefined, 'no json', {})
    await expect(file(store).read('a', undefined)).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      retryable: false,
    })
  })
})
