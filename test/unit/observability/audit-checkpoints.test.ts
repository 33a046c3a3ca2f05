import { describe, expect, it } from 'vitest'
import { verifyAuditLog } from '../../../src/observability/index.ts'
import { turn } from '../../support/fake-world.ts'
import { hang } from '../../support/scripted-kms.ts'
import { call, checkpointing, macKey, setup, written } from './audit-fixture.ts'

const down = (): Promise<never> => Promise.reject(new Error('down'))

async function trailOf(mode: 'open' | 'closed', options: Parameters<typeof checkpointing>[0] = {}) {
  const place = await checkpointing({ every: 5, everyMs: 60_000, ...options })
  const made = setup({ mode, chain: { macKey, checkpoints: place.options } })
  const { checkpoints, publicKey } = place
  const verify = () => verifyAuditLog(made.log, { macKey, checkpoints, publicKey })
  return { ...made, ...place, verify, sizes: () => checkpoints.map(({ size }) => size) }
}

it('come at birth, by count and by time', async () => {
  const { kms, world, sizes, verify } = await trailOf('closed')
  await kms.generateDataKey(call)
  expect(sizes()).toEqual([1])
  for (let i = 0; i < 11; i++) await kms.generateDataKey(call)
  expect(sizes()).toEqual([1, 6, 11])
  world.nowMs += 59_999
  await kms.generateDataKey(call)
  expect(sizes()).toEqual([1, 6, 11])
  world.nowMs += 1
  await kms.generateDataKey(call)
  expect(sizes()).toEqual([1, 6, 11, 14])
  expect((await verify()).ok).toBe(true)
})

it.each(['open', 'closed'] as const)(
  'one that is asked for covers everything that came before, %s',
  async (mode) => {
    const { kms, trail, sink, log, verify } = await trailOf(mode, { every: 1_000 })
    sink.before = turn
    const work = Array.from({ length: 50 }, () => kms.generateDataKey(call))
    // In a closed trail the operations wait for their records.
    await (mode === 'open' ? Promise.all(work) : new Promise((resolve) => setTimeout(resolve, 5)))
    const checkpoint = await trail.checkpoint()
    expect(checkpoint?.size).toBe(50)
    expect(log).toHaveLength(50)
    await Promise.all(work)
    expect((await verify()).ok).toBe(true)
  },
)

it('without records or without checkpoints there is none', async () => {
  const { trail, checkpoints } = await trailOf('closed')
  expect(await trail.checkpoint()).toBeUndefined()
  expect(checkpoints).toEqual([])
  expect(await setup().trail.checkpoint()).toBeUndefined()
})

it.each([
  ['that is down', down],
  ['that hangs', hang],
] as const)(
  'one that is asked for ends with a code: a sink, and a place, %s',
  async (_, before) => {
    const unavailable = { reason: { code: 'ERR_STORE_UNAVAILABLE' } }
    const { kms, trail, sink, world, state } = await trailOf('open')
    sink.before = before
    await kms.generateDataKey(call)
    expect(await world.settled(trail.checkpoint())).toMatchObject(unavailable)
    sink.before = () => undefined
    state.before = before
    expect(await world.settled(trail.checkpoint())).toMatchObject(unavailable)
    expect(world.timers).toBe(0)
    state.before = () => undefined
    expect((await trail.checkpoint())?.size).toBe(1)
  },
)

it('covers only what the sink has', async () => {
  const { kms, trail, sink, world, sizes, verify } = await trailOf('closed')
  await kms.generateDataKey(call)
  sink.before = down
  expect((await world.settled(kms.generateDataKey(call))).status).toBe('rejected')
  expect(sizes()).toEqual([1])
  expect((await verify()).ok).toBe(true)
  sink.before = () => undefined
  expect((await trail.checkpoint())?.size).toBe(2)
})

describe('that cannot be written', () => {
  it.each([
    ['fail', down],
    ['hang', hang],
  ] as const)(
    'and %s, fail nothing at first, are told, and are due again with the next record',
    async (_, before) => {
      const { kms, world, state, sizes, verify } = await trailOf('closed')
      await kms.generateDataKey(call)
      state.before = before
      for (let i = 0; i < 5; i++)
        expect((await world.settled(kms.generateDataKey(call))).status).toBe('fulfilled')
      expect(world.events).toMatchObject([{ type: 'checkpoint-loss', provider: 'scripted' }])
      state.before = () => undefined
      await kms.generateDataKey(call)
      expect(sizes()).toEqual([1, 7])
      expect((await verify()).ok).toBe(true)
    },
  )

  it('at birth: fail-closed fails, because nothing covers this writer', async () => {
    const { kms, inner, world, state, log } = await trailOf('closed')
    state.before = down
    expect(await world.settled(kms.generateDataKey(call))).toMatchObject({
      reason: {
        code: 'ERR_STORE_UNAVAILABLE',
        message: expect.stringContaining('checkpoint') as string,
      },
    })
    expect(() => inner.made[0]?.length).toThrow(TypeError)
    expect(log).toHaveLength(1)
    expect(world.events.map(({ type }) => type)).toEqual(['checkpoint-loss'])
    state.before = () => undefined
    await kms.generateDataKey(call)
    expect(log).toHaveLength(2)
  })

  it('for twice as many records, or for as long as they are apart: fail-closed fails', async () => {
    const { kms, world, state } = await trailOf('closed')
    const isRefused = async (): Promise<boolean> =>
      (await world.settled(kms.generateDataKey(call))).status === 'rejected'
    await kms.generateDataKey(call)
    state.before = down
    const refused: boolean[] = []
    for (let i = 0; i < 10; i++) refused.push(await isRefused())
    expect(refused.indexOf(true)).toBe(9)
    state.before = () => undefined
    expect(await isRefused()).toBe(false)
    state.before = down
    for (let i = 0; i < 6; i++) expect(await isRefused()).toBe(false)
    world.nowMs += 60_000
    expect(await isRefused()).toBe(true)
  })

  it('fail-open goes on', async () => {
    const { kms, world, state, log } = await trailOf('open')
    state.before = down
    for (let i = 0; i < 20; i++) {
      await kms.generateDataKey(call)
      await turn()
    }
    expect(log).toHaveLength(20)
    expect(world.events.every(({ type }) => type === 'checkpoint-loss')).toBe(true)
  })
})

it('a checkpoint is written after its records: one that a sink refused promises nothing', async () => {
  const { checkpoints, log } = await written(3, { every: 1 })
  expect(checkpoints.map(({ size, hash }) => [size, hash])).toEqual(
    log.map(({ seq, link }) => [seq + 1, link?.hash]),
  )
})
