import { describe, expect, it } from 'vitest'
import { customersPlanOf } from './plan.ts'
import { runCustomers } from './run-customers.ts'
import seeds from './seeds.json' with { type: 'json' }

describe('kept seeds of customers', () => {
  it.each(seeds)('seed $seed: $why', async ({ seed }) => {
    const first = await runCustomers(seed)
    expect(first.violations).toEqual([])
    expect((await runCustomers(seed)).digest).toBe(first.digest)
  })

  it('among a few hundred worlds is each that the rules are about', () => {
    const plans = Array.from({ length: 300 }, (_, seed) => customersPlanOf(seed))
    for (const is of [
      ({ maxEntries, customers }: (typeof plans)[0]) => maxEntries < customers.length,
      ({ slowCreate, platform }: (typeof plans)[0]) => slowCreate && platform === 'workers',
      ({ disabled }: (typeof plans)[0]) => disabled.length > 0,
      ({ faults }: (typeof plans)[0]) =>
        faults.some(({ target }) => target.startsWith('directory')),
      ({ batches, victims }: (typeof plans)[0]) => batches && victims.length > 1,
      ({ crashes, jumps }: (typeof plans)[0]) => crashes > 0 && jumps > 0,
    ])
      expect(plans.filter(is).length).toBeGreaterThan(2)
  })
})
