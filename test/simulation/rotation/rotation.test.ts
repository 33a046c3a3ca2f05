import { describe, expect, it } from 'vitest'
import { rotationPlanOf } from './plan.ts'
import { runRotationSeed } from './run-rotation.ts'
import seeds from './seeds.json' with { type: 'json' }

describe('R28, R30 and R37 kept seeds of rotations', () => {
  it.each(seeds)('seed $seed: $why', async ({ seed }) => {
    const first = await runRotationSeed(seed)
    expect(first.violations).toEqual([])
    // Crypto runs on the platform's threads; nothing that happens may depend on when it ends.
    expect((await runRotationSeed(seed)).digest).toBe(first.digest)
  })

  it('a job that is stopped at every call ends with the counts of one that is not', async () => {
    const plan = {
      ...rotationPlanOf(1),
      ...({ crashes: 'every', mostCrashes: 10_000, records: 20, pageSize: 3, pages: 1 } as const),
      ...{
        faults: [],
        writers: 0,
        rival: false,
        duplicates: 0,
        rewinds: 0,
        lagMs: 0,
        tears: false,
      },
      planted: { foreign: 0, torn: 0, broken: 0, moved: 0, unknown: 0 },
      ...{ flapMs: 0, againAtMs: undefined, badWraps: 0, retires: false, keks: ['sim-a'] },
    }
    const stopped = await runRotationSeed(1, false, plan)
    const whole = await runRotationSeed(1, false, { ...plan, crashes: 'none' })
    expect(stopped.violations).toEqual([])
    expect(stopped.crashes).toBeGreaterThan(60)
    expect(whole.crashes).toBe(0)
    // A swap whose answer was lost is found as current; its calls were made by a process that is gone.
    expect(stopped.kmsCalls).toBeLessThanOrEqual(whole.kmsCalls)
    expect(whole.kmsCalls).toBe(20 * 3)
  })

  it('among a few hundred worlds is each that the rules are about', () => {
    const plans = Array.from({ length: 300 }, (_, seed) => rotationPlanOf(seed))
    type Plan = (typeof plans)[0]
    for (const is of [
      ({ crashes, writers, rival }: Plan) => crashes === 'every' && writers > 0 && rival,
      ({ duplicates, engine }: Plan) => duplicates === 1 && engine === 'manager',
      ({ rewinds }: Plan) => rewinds > 0,
      ({ lagMs, lagsReads }: Plan) => lagMs > 1_000 && lagsReads,
      ({ keks, source }: Plan) => keks.length > 1 && source === 'data-keys',
      ({ flapMs, againAtMs }: Plan) => flapMs > 0 && againAtMs !== undefined,
      ({ retires, proof }: Plan) => retires && proof === 'open',
      ({ faults }: Plan) =>
        faults.some(({ kind, target }) => kind === 'throttled' && target === 'table'),
      ({ faults }: Plan) =>
        faults.some(({ kind, target }) => kind === 'throttled' && target === 'sim-a'),
      ({ badWraps, tears }: Plan) => badWraps > 0 && tears,
      ({ planted }: Plan) => planted.moved > 0,
    ])
      expect(plans.filter(is).length).toBeGreaterThan(2)
    const whole = rotationPlanOf(500)
    expect(whole).toMatchObject({ records: 1_000, crashes: 'every' })
    expect(whole.mostCrashes).toBeGreaterThan(10_000)
  })
})
