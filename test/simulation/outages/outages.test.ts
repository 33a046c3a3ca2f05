import { describe, expect, it } from 'vitest'
import { outagePlanOf } from './plan.ts'
import { runOutages } from './run-outages.ts'
import seeds from './seeds.json' with { type: 'json' }

describe('R37 kept seeds of outages', () => {
  it.each(seeds)('seed $seed: $why', async ({ seed }) => {
    const first = await runOutages(seed)
    expect(first.violations).toEqual([])
    expect((await runOutages(seed)).digest).toBe(first.digest)
  })

  it('R20 to R26: among a few hundred worlds is each that the rules are about', () => {
    const plans = Array.from({ length: 300 }, (_, seed) => outagePlanOf(seed))
    const kinds = new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)))
    expect([...kinds].sort()).toEqual(
      ['answer-lost', 'down', 'request-lost', 'slow', 'throttled'].sort(),
    )
    for (const is of [
      ({ isolates, storeIsWell, shared }: (typeof plans)[0]) =>
        isolates > 10 && shared && storeIsWell,
      ({ calm }: (typeof plans)[0]) => calm,
      ({ storeOnly }: (typeof plans)[0]) => storeOnly,
      ({ quorum, members }: (typeof plans)[0]) => quorum !== undefined && quorum < members.length,
      ({ config }: (typeof plans)[0]) => config.hedge !== undefined,
      ({ forgeries }: (typeof plans)[0]) => forgeries > 0,
      ({ crashes, jumps }: (typeof plans)[0]) => crashes > 0 && jumps > 0,
      ({ batches, deaf }: (typeof plans)[0]) => batches && deaf,
    ])
      expect(plans.filter(is).length).toBeGreaterThan(2)
  })
})
