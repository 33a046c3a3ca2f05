import { expect, it } from 'vitest'
import { BulkheadKms } from '../../../src/index.ts'
import { FakeWorld } from '../../support/fake-world.ts'
import { ScriptedKms } from '../../support/scripted-kms.ts'

it('R25 a call that leaves wakes a few: the work does not grow with the square of the queue', async () => {
  const world = new FakeWorld()
  let looks = 0
  const runtime = {
    now: () => {
      looks += 1
      return world.now()
    },
    randomFill: world.randomFill.bind(world),
  }
  const kms = new BulkheadKms({ kms: new ScriptedKms(), maxQueue: 2_000, ...world.ports, runtime })
  const call = { context: { 'edge-kms:dk': 'x' } }
  const all = await Promise.allSettled(
    Array.from({ length: 2_000 }, () => kms.generateDataKey(call)),
  )
  expect(all.every(({ status }) => status === 'fulfilled')).toBe(true)
  // Each is woken at most by the leaving of the eight before it, and looks at the clock a few times besides.
  expect(looks).toBeLessThan(40_000)
})
