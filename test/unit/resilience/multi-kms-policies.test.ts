import { describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  type MissingWraps,
  MultiKms,
  type MultiKmsOptions,
} from '../../../src/index.ts'
import { FakeWorld, turn } from '../../support/fake-world.ts'
import { fail, hang, ScriptedKms, type Step } from '../../support/scripted-kms.ts'

const call = { context: { 'edge-kms:dk': 'salt.1' } }
const down = fail('ERR_KMS_UNAVAILABLE')

function setup(names: readonly string[], options: Partial<MultiKmsOptions> = {}) {
  const world = new FakeWorld()
  const members = names.map((name) => new ScriptedKms(name))
  const notes: MissingWraps[] = []
  const repairs = {
    note: (missing: MissingWraps): Promise<void> => {
      notes.push(missing)
      return Promise.resolve()
    },
  }
  const multi = new MultiKms({ read: members, repairs, ...options, ...world.ports })
  const slow =
    (ms: number): Step =>
    () =>
      new Promise((resolve) => {
        world.after(ms, () => {
          resolve()
        })
      })
  return { world, members, multi, notes, slow }
}

const providersOf = (wraps: readonly { provider: string }[]): string[] =>
  wraps.map(({ provider }) => provider)

describe('R26 quorum', () => {
  it.each([0, 1, 2])('encrypts with KEK %d of three down, and notes what is missing', async (i) => {
    const { world, members, multi, notes } = setup(['a', 'b', 'c'], { writePolicy: { quorum: 2 } })
    const missing = members[i] as ScriptedKms
    missing.always = down
    const outcome = await world.settled(multi.generateDataKey(call))
    const others = ['a', 'b', 'c'].filter((name) => name !== missing.providerName)
    expect(outcome).toMatchObject({ value: { wraps: others.map((provider) => ({ provider })) } })
    expect(notes).toEqual([
      { dataKey: 'salt.1', providers: [missing.providerName], atMs: world.now() },
    ])
    expect(world.events).toContainEqual({
      type: 'missing-wrap',
      provider: missing.providerName,
      operation: 'generateDataKey',
    })
  })

  it.each([0, 1])('with KEK %d down a DEK that exists is not wrapped again', async (i) => {
    const { world, members, multi, notes } = setup(['a', 'b'], { writePolicy: { quorum: 1 } })
    const { plaintext } = await multi.generateDataKey(call)
    ;(members[i] as ScriptedKms).always = down
    expect(await world.settled(multi.wrapDataKey(plaintext, call))).toMatchObject({
      reason: { code: 'ERR_KMS_UNAVAILABLE' },
    })
    expect(notes).toEqual([])
  })

  it.each(['open', 'kms'] as const)(
    'an envelope is not rewrapped with a KEK down, verified by %s: it would lose that wrap',
    async (verify) => {
      const { world, members, multi, notes } = setup(['a', 'b'], { writePolicy: { quorum: 1 } })
      const cipher = new EnvelopeCipher({ kms: multi })
      const envelope = await cipher.encrypt(new Uint8Array(8))
      const copy = envelope.slice()
      for (const member of members) {
        member.always = down
        const work = world.settled(cipher.rewrap(envelope, { verify }))
        expect(await work).toMatchObject({ reason: { code: 'ERR_KMS_UNAVAILABLE' } })
        member.always = () => undefined
      }
      expect([envelope, notes]).toEqual([copy, []])
      const moved = await cipher.rewrap(envelope, { verify })
      expect(providersOf(EncryptedEnvelope.parse(moved).wraps)).toEqual(['a', 'b'])
    },
  )

  it('is refused below the quorum, and the DEK is wiped', async () => {
    const { world, members, multi, notes } = setup(['a', 'b', 'c'], { writePolicy: { quorum: 2 } })
    const [a, b, c] = members as [ScriptedKms, ScriptedKms, ScriptedKms]
    b.always = down
    c.always = down
    const outcome = await world.settled(multi.generateDataKey(call))
    expect(outcome).toMatchObject({ reason: { code: 'ERR_KMS_UNAVAILABLE' } })
    expect(() => a.made[0]?.length).toThrow(TypeError)
    expect(notes).toEqual([])
  })

  it.each(['ERR_KMS_ACCESS_DENIED', 'ERR_KMS_KEY_DISABLED', 'ERR_KMS_KEY_NOT_FOUND'] as const)(
    'spares no KEK that answers %s: that is a mistake, not an outage',
    async (code) => {
      for (const i of [0, 1]) {
        const { world, members, multi } = setup(['a', 'b'], { writePolicy: { quorum: 1 } })
        ;(members[i] as ScriptedKms).always = fail(code)
        const outcome = await world.settled(multi.generateDataKey(call))
        expect(outcome).toMatchObject({ reason: { code } })
      }
    },
  )

  it('waits for a slow KEK as long as its grace says, and aborts it then', async () => {
    for (const [ms, expected] of [
      [400, ['a', 'b']],
      [600, ['a']],
    ] as const) {
      const { world, members, multi, slow } = setup(['a', 'b'], { writePolicy: { quorum: 1 } })
      const b = members[1] as ScriptedKms
      b.always = slow(ms)
      const started = world.now()
      const outcome = await world.settled(multi.generateDataKey(call))
      expect(outcome.status === 'fulfilled' && providersOf(outcome.value.wraps)).toEqual(expected)
      expect(world.now() - started).toBe(Math.min(ms, 500))
      expect(b.given[0]?.signal?.aborted).toBe(ms > 500)
      world.nowMs += 1_000
    }
  })

  it('gives a KEK that hangs half of the time to make the DEK', async () => {
    const { world, members, multi } = setup(['a', 'b'], { writePolicy: { quorum: 1 } })
    ;(members[0] as ScriptedKms).always = hang
    const started = world.now()
    const options = { ...call, deadlineMs: started + 5_000 }
    const outcome = await world.settled(multi.generateDataKey(options))
    expect(outcome.status === 'fulfilled' && providersOf(outcome.value.wraps)).toEqual(['b'])
    expect(world.now() - started).toBe(2_500)
  })

  it('does not leave when the note cannot be written', async () => {
    const repairs = { note: () => Promise.reject(new Error('down')) }
    const { world, members, multi } = setup(['a', 'b'], { writePolicy: { quorum: 1 }, repairs })
    ;(members[1] as ScriptedKms).always = down
    const outcome = await world.settled(multi.generateDataKey(call))
    expect(outcome).toMatchObject({ reason: { code: 'ERR_STORE_UNAVAILABLE' } })
    expect(() => (members[0] as ScriptedKms).made[0]?.length).toThrow(TypeError)
  })

  it('R21 an abort while a missing wrap is noted ends it at once and wipes the DEK', async () => {
    const repairs = { note: () => new Promise<void>(() => undefined) }
    const { members, multi } = setup(['a', 'b'], { writePolicy: { quorum: 1 }, repairs })
    ;(members[1] as ScriptedKms).always = down
    const controller = new AbortController()
    const work = multi.generateDataKey({ ...call, signal: controller.signal })
    await turn()
    const reason = new Error('stop')
    controller.abort(reason)
    await expect(work).rejects.toBe(reason)
    expect(() => (members[0] as ScriptedKms).made[0]?.length).toThrow(TypeError)
  })

  it('R21 an abort ends it at once and wipes the DEK', async () => {
    const { members, multi } = setup(['a', 'b'], { writePolicy: { quorum: 1 } })
    ;(members[1] as ScriptedKms).always = hang
    const controller = new AbortController()
    const work = multi.generateDataKey({ ...call, signal: controller.signal })
    await turn()
    const reason = new Error('stop')
    controller.abort(reason)
    await expect(work).rejects.toBe(reason)
    expect(() => (members[0] as ScriptedKms).made[0]?.length).toThrow(TypeError)
  })
})

describe('R26 all, the default', () => {
  it('asks every KEK once and bears no failure', async () => {
    for (const i of [0, 1]) {
      const { world, members, multi } = setup(['a', 'b'])
      ;(members[i] as ScriptedKms).always = down
      expect(await world.settled(multi.generateDataKey(call))).toMatchObject({
        reason: { code: 'ERR_KMS_UNAVAILABLE' },
      })
      expect((members[i] as ScriptedKms).calls).toHaveLength(1)
    }
  })
})

describe('R26 reading', () => {
  async function written(names: readonly string[], options: Partial<MultiKmsOptions> = {}) {
    const all = setup(names, options)
    const { wraps } = await all.multi.generateDataKey(call)
    for (const member of all.members) member.calls.length = 0
    return { ...all, wraps }
  }

  it('each KEK that hangs costs its share of the time, no more', async () => {
    const { world, members, multi, wraps } = await written(['a', 'b', 'c'])
    ;(members[0] as ScriptedKms).always = hang
    ;(members[1] as ScriptedKms).always = hang
    const started = world.now()
    const options = { ...call, deadlineMs: started + 3_000 }
    const outcome = await world.settled(multi.unwrapDataKey(wraps, options))
    expect(outcome).toMatchObject({ value: { by: { provider: 'c' } } })
    expect(world.now() - started).toBe(2_000)
  })

  it('W3.28: as configured, whatever was measured', async () => {
    const { world, members, multi, slow, wraps } = await written(['a', 'b'])
    ;(members[0] as ScriptedKms).always = slow(500)
    for (let i = 0; i < 3; i++) await world.settled(multi.unwrapDataKey(wraps, call))
    expect((members[1] as ScriptedKms).calls).toEqual([])
  })

  it('W3.28: fastest asks the one that answered soonest, and measures the others once a minute', async () => {
    const { world, members, multi, slow, wraps } = await written(['a', 'b'], { order: 'fastest' })
    const [a, b] = members as [ScriptedKms, ScriptedKms]
    a.always = slow(100)
    b.always = slow(20)
    for (let i = 0; i < 10; i++) await world.settled(multi.unwrapDataKey(wraps, call))
    expect([a.calls.length, b.calls.length]).toEqual([1, 9])
    world.nowMs += 60_000
    for (let i = 0; i < 10; i++) await world.settled(multi.unwrapDataKey(wraps, call))
    expect(a.calls).toHaveLength(2)
  })

  it('fastest asks one that failed last, for five seconds', async () => {
    const { world, members, multi, wraps } = await written(['a', 'b'], { order: 'fastest' })
    const [a] = members as [ScriptedKms]
    a.always = down
    for (let i = 0; i < 5; i++) await world.settled(multi.unwrapDataKey(wraps, call))
    expect(a.calls).toHaveLength(1)
    world.nowMs += 5_000
    await world.settled(multi.unwrapDataKey(wraps, call))
    expect(a.calls).toHaveLength(2)
  })

  it('fastest still asks those that failed when no other is left', async () => {
    const { world, members, multi, wraps } = await written(['a', 'b'], { order: 'fastest' })
    for (const member of members) member.script = [down]
    expect((await world.settled(multi.unwrapDataKey(wraps, call))).status).toBe('rejected')
    expect((await world.settled(multi.unwrapDataKey(wraps, call))).status).toBe('fulfilled')
  })

  it('a hedge asks the next KEK, the first answer wins, the other is aborted and wiped', async () => {
    const { world, members, multi, slow, wraps } = await written(['a', 'b'], {
      hedge: { afterMs: 50 },
    })
    const [a, b] = members as [ScriptedKms, ScriptedKms]
    a.always = slow(500)
    const started = world.now()
    const outcome = await world.settled(multi.unwrapDataKey(wraps, call))
    expect(outcome).toMatchObject({ value: { by: { provider: 'b' } } })
    expect(world.now() - started).toBe(50)
    expect(a.given.at(-1)?.signal?.aborted).toBe(true)
    const made = a.made.length
    await world.advance(1_000)
    expect(a.made.length).toBe(made + 1)
    expect(() => a.made.at(-1)?.length).toThrow(TypeError)
    expect(b.made.at(-1)?.length).toBe(32)
    expect(world.events.at(-1)).toMatchObject({ type: 'failover', provider: 'b', why: 'slow' })
  })

  it('hedges no more than its budget, in the long run', async () => {
    const { world, members, multi, slow, wraps } = await written(['a', 'b'], {
      hedge: { afterMs: 50, budget: 0.1 },
    })
    const [a, b] = members as [ScriptedKms, ScriptedKms]
    a.always = slow(200)
    for (let i = 0; i < 200; i++) await world.settled(multi.unwrapDataKey(wraps, call))
    expect(b.calls.length).toBeGreaterThanOrEqual(20)
    expect(b.calls.length).toBeLessThanOrEqual(21)
  })

  it('when both land in the same turn, the second is wiped', async () => {
    const { world, members, multi, wraps } = await written(['a', 'b'], { hedge: { afterMs: 50 } })
    const [a, b] = members as [ScriptedKms, ScriptedKms]
    const answers: (() => void)[] = []
    for (const member of [a, b])
      member.always = () => new Promise((resolve) => answers.push(resolve))
    const work = multi.unwrapDataKey(wraps, call)
    await world.advance(50)
    for (const answer of answers) answer()
    expect((await work).by.provider).toBe('a')
    await turn()
    expect(a.made.at(-1)?.length).toBe(32)
    expect(() => b.made.at(-1)?.length).toThrow(TypeError)
  })

  it('an abort ends it at once, with the reason of the caller', async () => {
    const { world, members, multi, wraps } = await written(['a', 'b'], { hedge: { afterMs: 50 } })
    for (const member of members) member.always = hang
    const controller = new AbortController()
    const work = multi.unwrapDataKey(wraps, { ...call, signal: controller.signal })
    await world.advance(60)
    const reason = new Error('stop')
    controller.abort(reason)
    await expect(work).rejects.toBe(reason)
    expect(world.timers).toBe(0)
  })
})

it.each<[string, Partial<MultiKmsOptions>]>([
  ['a quorum without a log', { writePolicy: { quorum: 1 }, repairs: undefined }],
  ['a quorum of none', { writePolicy: { quorum: 0 } }],
  ['a quorum of more than there are', { writePolicy: { quorum: 3 } }],
  ['a policy that is none', { writePolicy: 'most' as 'all' }],
  ['a misspelt policy', { writePolicy: { quorum: 1, grace: 3 } as never }],
  ['an order that is none', { order: 'random' as 'fastest' }],
  ['a hedge without a time', { hedge: {} as never }],
  ['a hedge without a budget', { hedge: { afterMs: 10, budget: 0 } }],
  ['a misspelt hedge', { hedge: { afterMs: 10, share: 1 } as never }],
])('refuses %s', (_, options) => {
  expect(() => setup(['a', 'b'], options)).toThrow(
    expect.objectContaining({ code: 'ERR_KMS_CONFIG' }),
  )
})
