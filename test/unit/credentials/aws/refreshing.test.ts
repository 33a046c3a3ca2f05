import { describe, expect, it } from 'vitest'
import { type AwsCredentials, toCredentialSource } from '../../../../src/credentials/aws/index.ts'
import { codeOf, deferred, type TestPorts, testPorts, turn } from './ports.ts'

const HOUR_MS = 3_600_000

/** Credentials number n, which live for `lifeMs` from now on. */
function numbered(ports: TestPorts, n: number, lifeMs?: number): AwsCredentials {
  const expires = lifeMs === undefined ? {} : { expiresAtMs: ports.runtime.now() + lifeMs }
  return { accessKeyId: `AKID${String(n)}`, secretAccessKey: `secret${String(n)}`, ...expires }
}

/** A source over a function that gives new credentials at each call, or fails while `broken`. */
function setUp(lifeMs?: number) {
  const ports = testPorts()
  const state = { loads: 0, broken: false }
  const source = toCredentialSource(() => {
    state.loads += 1
    return state.broken
      ? Promise.reject(new Error('broker is down'))
      : Promise.resolve(numbered(ports, state.loads, lifeMs))
  }, ports)
  const id = async () => (await source.get({})).accessKeyId
  return { ports, state, source, id }
}

describe('R22 credentials that refresh: when', () => {
  it.each([
    [HOUR_MS, 0, HOUR_MS - 300_000],
    [HOUR_MS, 0.5, HOUR_MS - 330_000],
    [HOUR_MS, 0.999, HOUR_MS - 359_940],
    [600_000, 0.5, 450_000],
  ])('a life of %i ms with jitter %d is renewed at %i ms', async (lifeMs, jitter, atMs) => {
    const { ports, id } = setUp(lifeMs)
    ports.jitter = jitter
    expect(await id()).toBe('AKID1')
    ports.advance(atMs - 1)
    expect(await id()).toBe('AKID1')
    ports.advance(1)
    expect(await id()).toBe('AKID2')
  })

  it('asks once for credentials that do not expire', async () => {
    const { ports, id } = setUp()
    await id()
    ports.advance(1_000 * HOUR_MS)
    expect(await id()).toBe('AKID1')
  })

  it('nothing is asked, and no timer is set, before the first use', () => {
    const { ports, state } = setUp(HOUR_MS)
    expect([state.loads, ports.waiting]).toEqual([0, 0])
  })

  it('a copy is held: whoever gave them cannot change them', async () => {
    const ports = testPorts()
    const given = { accessKeyId: 'AKID', secretAccessKey: 'secret' }
    const source = toCredentialSource(() => Promise.resolve(given), ports)
    const held = await source.get({})
    given.secretAccessKey = 'changed'
    expect((await source.get({})).secretAccessKey).toBe('secret')
    expect(Object.isFrozen(held)).toBe(true)
  })
})

describe('R16 credentials that refresh: one refresh for many', () => {
  /** A source whose loads wait for the test. */
  function slow() {
    const ports = testPorts()
    const loads: ReturnType<typeof deferred<AwsCredentials>>[] = []
    const signals: (AbortSignal | undefined)[] = []
    const source = toCredentialSource(({ signal }) => {
      signals.push(signal)
      const load = deferred<AwsCredentials>()
      loads.push(load)
      return load.promise
    }, ports)
    const land = (n: number) => loads[n]?.resolve(numbered(ports, n, HOUR_MS))
    return { ports, loads, signals, source, land }
  }

  it('a thousand waiters cost one', async () => {
    const { source, loads, land, ports } = slow()
    const waiting = Array.from({ length: 1_000 }, () => source.get({}))
    await turn()
    land(0)
    const got = new Set(await Promise.all(waiting))
    expect([loads.length, got.size, ports.waiting]).toEqual([1, 1, 0])
  })

  it('a failure is shared, and not kept', async () => {
    const { source, loads, land } = slow()
    const waiting = Array.from({ length: 10 }, () => codeOf(source.get({})))
    await turn()
    loads[0]?.reject(new Error('down'))
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['ERR_KMS_UNAVAILABLE']))
    const again = source.get({})
    await turn()
    land(1)
    expect((await again).accessKeyId).toBe('AKID1')
  })

  it.each(['leader', 'follower'])('the abort of the %s ends its own wait only', async (who) => {
    const { source, loads, signals, land } = slow()
    const controllers = [new AbortController(), new AbortController(), new AbortController()]
    const waiting = controllers.map(({ signal }) => codeOf(source.get({ signal })))
    await turn()
    const aborted = who === 'leader' ? 0 : 1
    const reason = new Error('gone')
    controllers[aborted]?.abort(reason)
    expect(await waiting[aborted]).toBe(reason)
    land(0)
    const others = await Promise.all(waiting.filter((_, i) => i !== aborted))
    expect(others).toEqual(['no error', 'no error'])
    expect([loads.length, signals.map((signal) => signal?.aborted)]).toEqual([1, [false]])
  })

  it('an abort is not hidden behind credentials that are still valid', async () => {
    const { source, ports, land } = slow()
    const first = source.get({})
    await turn()
    land(0)
    await first
    ports.advance(HOUR_MS - 200_000)
    const controller = new AbortController()
    const second = codeOf(source.get({ signal: controller.signal }))
    await turn()
    const reason = new Error('gone')
    controller.abort(reason)
    expect(await second).toBe(reason)
  })

  it('a waiter whose leader never answers asks for itself after 3 s', async () => {
    const { source, ports, loads, land } = slow()
    const leader = source.get({})
    const follower = source.get({})
    await turn()
    ports.advance(2_999)
    await turn()
    expect(loads.length).toBe(1)
    ports.advance(1)
    await turn()
    expect(loads.length).toBe(2)
    land(1)
    expect((await follower).accessKeyId).toBe('AKID1')
    land(0)
    await leader
  })

  it('a refresh outlives the attempt that began it, and the next attempts wait for the same one', async () => {
    const { source, ports, loads, land } = slow()
    const attempt = async (): Promise<unknown> => {
      const controller = new AbortController()
      const waiting = codeOf(source.get({ signal: controller.signal }))
      await turn()
      ports.advance(2_000)
      controller.abort(new Error('attempt'))
      return waiting
    }
    expect(await attempt()).toMatchObject({ message: 'attempt' })
    expect(await attempt()).toMatchObject({ message: 'attempt' })
    expect(loads.length).toBe(1)
    const third = source.get({})
    await turn()
    land(0)
    expect((await third).accessKeyId).toBe('AKID0')
  })

  it('the shared work is given to `defer`, which keeps it alive', async () => {
    const { source, land } = slow()
    const deferredWork: Promise<unknown>[] = []
    const controller = new AbortController()
    const aborted = codeOf(
      source.get({ signal: controller.signal, defer: (work) => deferredWork.push(work) }),
    )
    await turn()
    controller.abort(new Error('answered'))
    await aborted
    expect(deferredWork).toHaveLength(1)
    land(0)
    await deferredWork[0]
    expect((await source.get({})).accessKeyId).toBe('AKID0')
  })
})

describe('R22 credentials that refresh: when a refresh fails', () => {
  it('those that are still valid serve on, and it is tried again after 10 s', async () => {
    const { ports, state, id } = setUp(HOUR_MS)
    await id()
    state.broken = true
    ports.advance(HOUR_MS - 200_000)
    expect([await id(), state.loads]).toEqual(['AKID1', 2])
    ports.advance(9_999)
    expect([await id(), state.loads]).toEqual(['AKID1', 2])
    ports.advance(1)
    expect([await id(), state.loads]).toEqual(['AKID1', 3])
    state.broken = false
    ports.advance(10_000)
    expect([await id(), state.loads]).toEqual(['AKID4', 4])
  })

  it('those with 10 s or less to live do not', async () => {
    const { ports, state, source, id } = setUp(HOUR_MS)
    await id()
    state.broken = true
    ports.advance(HOUR_MS - 10_001)
    expect(await id()).toBe('AKID1')
    ports.advance(10_000)
    expect(await codeOf(source.get({}))).toBe('ERR_KMS_UNAVAILABLE')
  })

  it('those that AWS refused do not', async () => {
    const { state, source, id } = setUp(HOUR_MS)
    const held = await source.get({})
    source.refused(held)
    expect(await id()).toBe('AKID2')
    source.refused(await source.get({}))
    state.broken = true
    expect(await codeOf(source.get({}))).toBe('ERR_KMS_UNAVAILABLE')
  })

  it('those that AWS refused while they were being renewed do not', async () => {
    const ports = testPorts()
    const renewal = deferred<AwsCredentials>()
    const given = [Promise.resolve(numbered(ports, 1, HOUR_MS)), renewal.promise]
    const source = toCredentialSource(() => given.shift() ?? Promise.reject(new Error()), ports)
    const held = await source.get({})
    ports.advance(HOUR_MS - 200_000)
    const waiting = codeOf(source.get({}))
    source.refused(held)
    renewal.reject(new Error('broker is down'))
    expect(await waiting).toBe('ERR_KMS_UNAVAILABLE')
  })

  it('a refusal of older ones does not touch the newer', async () => {
    const { state, source, id } = setUp(HOUR_MS)
    const old = await source.get({})
    source.refused(old)
    await id()
    source.refused(old)
    expect([await id(), state.loads]).toEqual(['AKID2', 2])
  })
})
