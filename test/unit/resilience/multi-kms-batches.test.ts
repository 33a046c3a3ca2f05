import { describe, expect, it } from 'vitest'
import {
  isKmsError,
  KmsError,
  MultiKms,
  type MultiKmsOptions,
  type Outcome,
  type UnwrappedDataKey,
  type UnwrapRequest,
} from '../../../src/index.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { fail, hang, ScriptedKms, type Step } from '../../support/scripted-kms.ts'

const call = { context: { 'edge-kms:dk': 'salt.1' } }
const down = fail('ERR_KMS_UNAVAILABLE')

/** Members that take batches, except those whose name is in lower case. */
async function setup(names: readonly string[], options: Partial<MultiKmsOptions> = {}) {
  const world = new FakeWorld()
  const members = names.map(
    (name) => new ScriptedKms(name, { batches: name === name.toUpperCase() }),
  )
  const multi = new MultiKms({ read: members, ...options, ...world.ports })
  const { wraps } = await multi.generateDataKey(call)
  for (const member of members) member.calls.length = 0
  /** An item with the wraps of these members alone. */
  const itemOf = (...of: readonly string[]): UnwrapRequest => ({
    wraps: wraps.filter(({ provider }) => of.includes(provider)),
    context: call.context,
  })
  return { world, members: members as [ScriptedKms, ScriptedKms], multi, wraps, itemOf }
}

const told = (outcomes: readonly Outcome<UnwrappedDataKey>[]): string[] =>
  outcomes.map((one) => (one.ok ? one.value.by.provider : one.error.code))

/** Answers a batch item by item. */
function scriptItems(kms: ScriptedKms, codes: readonly (string | undefined)[]): void {
  const open = kms.unwrapMany.bind(kms)
  kms.unwrapMany = async (items, options) =>
    (await open(items, options)).map((outcome, i) => {
      const code = codes[i]
      if (code === undefined || !outcome.ok) return outcome
      outcome.value.plaintext.dispose()
      return { ok: false, error: new KmsError(code as 'ERR_DECRYPT_FAILED') }
    })
}

describe('R26 MultiKms: batches', () => {
  it('goes out once to the first KEK, in order, and the others are not asked', async () => {
    const { members, multi, itemOf } = await setup(['A', 'B'])
    const items = Array.from({ length: 50 }, () => itemOf('A', 'B'))
    expect(told(await multi.unwrapMany(items, {}))).toEqual(items.map(() => 'A'))
    expect(members[0].calls.filter((name) => name.startsWith('unwrapMany'))).toEqual([
      'unwrapMany 50',
    ])
    expect(members[1].calls).toEqual([])
  })

  it('has a batch for each KEK where wraps differ, and no call for what is of no KEK', async () => {
    const { members, multi, itemOf } = await setup(['A', 'B'])
    const outcomes = await multi.unwrapMany(
      [itemOf('B'), itemOf('A', 'B'), itemOf(), itemOf('A'), itemOf('B')],
      {},
    )
    expect(told(outcomes)).toEqual(['B', 'A', 'ERR_ENVELOPE_UNKNOWN_KEY', 'A', 'B'])
    expect(members.map(({ calls }) => calls[0])).toEqual(['unwrapMany 2', 'unwrapMany 2'])
  })

  it('a KEK that is down gives way to the next: one batch more, and one event', async () => {
    const { world, members, multi, itemOf } = await setup(['A', 'B'])
    members[0].always = down
    const items = [itemOf('A', 'B'), itemOf('A'), itemOf('A', 'B')]
    const expected = ['B', 'ERR_KMS_UNAVAILABLE', 'B']
    expect(told(await multi.unwrapMany(items, {}))).toEqual(expected)
    expect(members[0].calls).toEqual(['unwrapMany 3'])
    expect(members[1].calls[0]).toBe('unwrapMany 2')
    expect(world.events).toEqual([
      { type: 'failover', provider: 'B', operation: 'unwrapMany', why: 'failed' },
    ])
  })

  it('only the items that failed go on, and the worst error of each is told', async () => {
    const { members, multi, itemOf } = await setup(['A', 'B'])
    const [bad, denied, later] = [
      'ERR_DECRYPT_FAILED',
      'ERR_KMS_ACCESS_DENIED',
      'ERR_KMS_THROTTLED',
    ]
    scriptItems(members[0], [undefined, bad, bad, denied, later])
    scriptItems(members[1], [undefined, denied, later, bad])
    const items = Array.from({ length: 5 }, () => itemOf('A', 'B'))
    expect(told(await multi.unwrapMany(items, {}))).toEqual(['A', 'B', denied, later, later])
    expect(members[1].calls[0]).toBe('unwrapMany 4')
  })

  it('a KEK without batches is asked item by item, behind one that has them and before it', async () => {
    for (const names of [
      ['A', 'b'],
      ['b', 'A'],
    ] as const) {
      const { members, multi, itemOf } = await setup(names)
      members[0].always = down
      const items = Array.from({ length: 3 }, () => itemOf('A', 'b'))
      expect(told(await multi.unwrapMany(items, {}))).toEqual(items.map(() => names[1]))
    }
  })

  it('tells what is outside that it takes batches, if one of its members does', async () => {
    expect((await setup(['a', 'B'])).multi.capabilities.batches).toBe(true)
    expect((await setup(['a', 'b'])).multi.capabilities.batches).toBe(false)
  })

  it('each KEK that hangs costs its share of the time, no more', async () => {
    const { world, members, multi, itemOf } = await setup(['A', 'B'])
    members[0].always = hang
    const started = world.now()
    const items = [itemOf('A', 'B'), itemOf('A', 'B')]
    const outcome = await world.settled(multi.unwrapMany(items, { deadlineMs: started + 3_000 }))
    expect(outcome.status === 'fulfilled' && told(outcome.value)).toEqual(['B', 'B'])
    expect(world.now() - started).toBe(1_500)
    expect(world.timers).toBe(0)
  })

  it('fastest asks one that failed a batch last, for five seconds, and does not time batches', async () => {
    const { world, members, multi, itemOf } = await setup(['A', 'B'], { order: 'fastest' })
    members[0].script = [down]
    const items = [itemOf('A', 'B')]
    expect(told(await multi.unwrapMany(items, {}))).toEqual(['B'])
    expect(told(await multi.unwrapMany(items, {}))).toEqual(['B'])
    world.nowMs += 5_000
    const slow: Step = () => new Promise((resolve) => world.after(900, resolve))
    members[0].script = [slow]
    for (const expected of ['A', 'A']) {
      const outcome = await world.settled(multi.unwrapMany(items, {}))
      expect(outcome.status === 'fulfilled' && told(outcome.value)).toEqual([expected])
    }
  })

  it('an abort rejects with its reason, and what was opened by then is wiped', async () => {
    const { members, multi, itemOf } = await setup(['A', 'B'])
    members[1].always = hang
    const made = members[0].made.length
    const controller = new AbortController()
    const work = multi.unwrapMany([itemOf('A'), itemOf('B')], { signal: controller.signal })
    await turn()
    const reason = new Error('stop')
    controller.abort(reason)
    await expect(work).rejects.toBe(reason)
    expect(members[0].made.length).toBe(made + 1)
    expect(() => members[0].made.at(-1)?.length).toThrow(TypeError)
    await expect(multi.unwrapMany([itemOf('A')], { signal: controller.signal })).rejects.toBe(
      reason,
    )
  })

  it('an AbortError that the caller did not ask for ends the items of that KEK alone', async () => {
    const { world, members, multi, itemOf } = await setup(['A', 'B'])
    members[0].always = () => {
      throw new DOMException('gone', 'AbortError')
    }
    members[1].always = () => new Promise((resolve) => world.after(100, resolve))
    const items = [itemOf('A'), itemOf('B'), itemOf('A', 'B')]
    const outcome = await world.settled(multi.unwrapMany(items, {}))
    expect(outcome.status === 'fulfilled' && told(outcome.value)).toEqual([
      'ERR_KMS_UNAVAILABLE',
      'B',
      'B',
    ])
  })

  it('what lands after an abort has ended the batch is wiped too', async () => {
    const { world, members, multi, itemOf } = await setup(['A', 'B'])
    members[1].always = () => new Promise((resolve) => world.after(100, resolve))
    const made = members[1].made.length
    const controller = new AbortController()
    const { signal } = controller
    const work = multi.unwrapMany([itemOf('A'), itemOf('B')], { signal })
    await world.advance(10)
    controller.abort('stop')
    await expect(work).rejects.toBe('stop')
    await world.advance(1_000)
    expect(members[1].made.length).toBe(made + 1)
    expect(() => members[1].made.at(-1)?.length).toThrow(TypeError)
  })

  it('an abort counts though there is nothing to ask for', async () => {
    const { multi, itemOf } = await setup(['A', 'B'])
    const reason = new Error('stop')
    const signal = AbortSignal.abort(reason)
    await expect(multi.unwrapMany([itemOf()], { signal })).rejects.toBe(reason)
  })

  it('fastest takes a KEK back as soon as it answers a batch', async () => {
    const { members, multi, itemOf } = await setup(['A', 'B'], { order: 'fastest' })
    members[0].script = [down]
    expect(told(await multi.unwrapMany([itemOf('A', 'B')], {}))).toEqual(['B'])
    expect(told(await multi.unwrapMany([itemOf('A')], {}))).toEqual(['A'])
    expect(told(await multi.unwrapMany([itemOf('A', 'B')], {}))).toEqual(['A'])
  })

  it('without batches each item is hedged, where that is configured', async () => {
    const { world, members, multi, itemOf } = await setup(['a', 'b'], { hedge: { afterMs: 50 } })
    members[0].always = () => new Promise((resolve) => world.after(900, resolve))
    const started = world.now()
    const outcome = await world.settled(multi.unwrapMany([itemOf('a', 'b')], {}))
    expect(outcome.status === 'fulfilled' && told(outcome.value)).toEqual(['b'])
    expect(world.now() - started).toBe(50)
  })

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['no list', { ok: true }],
    ['an empty list', []],
    ['a list with a hole', [undefined]],
  ])('a KEK that answers %s gives way to the next', async (_, answer) => {
    const { members, multi, itemOf } = await setup(['A', 'B'])
    members[0].unwrapMany = () => Promise.resolve(answer as never)
    const outcomes = await multi.unwrapMany([itemOf('A', 'B'), itemOf('A')], {})
    expect(told(outcomes)).toEqual(['B', 'ERR_KMS_RESPONSE_INVALID'])
  })

  it('what is more than was asked for is wiped', async () => {
    const { members, multi, itemOf } = await setup(['A', 'B'])
    const open = members[0].unwrapMany.bind(members[0])
    members[0].unwrapMany = ([item], options) =>
      open([item as UnwrapRequest, item as UnwrapRequest], options)
    const [first] = await multi.unwrapMany([itemOf('A')], {})
    expect(first?.ok === true && first.value.plaintext.length).toBe(32)
    expect(() => members[0].made.at(-1)?.length).toThrow(TypeError)
  })

  it('a member that throws what is not an error of ours is an outage', async () => {
    const { members, multi, itemOf } = await setup(['A', 'B'])
    members[0].always = () => {
      throw new TypeError('a mistake')
    }
    const [only] = await multi.unwrapMany([itemOf('A')], {})
    expect(only?.ok === false && isKmsError(only.error, 'ERR_KMS_UNAVAILABLE')).toBe(true)
  })
})
