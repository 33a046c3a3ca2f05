/** Azure's part of the lane: Microsoft's own clients judge the fake. No server that others wrote can be had. */
import { runVendor } from '../lib/lane.mjs'
import { loadSdk } from './clients.mjs'
import { fakeDefects, withFake } from './fake.mjs'
import { scenarios } from './scenarios.mjs'
import { createWorld, refusal } from './world.mjs'

/** @param {import('../lib/lane.mjs').LaneOptions} options */
export async function runLane(options) {
  const sdk = loadSdk()
  await runVendor(
    {
      vendor: 'azure',
      judge: 'Microsoft',
      expected: new URL('expected.json', import.meta.url),
      scenarios,
      refusal,
      createWorld: (target) => createWorld(sdk, target),
      names: ['fake'],
      withTarget: (_name, work) => withFake(sdk, work),
      setUp: async () => ({}),
      defects: fakeDefects,
      withDefect: (defect, work) => withFake(sdk, work, [defect]),
    },
    options,
  )
}
