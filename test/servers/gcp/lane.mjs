/** Google's part of the lane: its own client sees the emulator and the fake, the provider is run against both. */
import { runVendor } from '../lib/lane.mjs'
import { loadSdk } from './clients.mjs'
import { scenarios } from './scenarios.mjs'
import { fakeDefects, targets, withFake } from './targets.mjs'
import { createWorld, refusal } from './world.mjs'

/** Returns the keys that are made for a provider's tests alone, beside the target. */
const setUp = async (world) => ({
  keyName: await world.createKey(),
  otherKeyName: await world.createKey(),
})

const onRuntimes = {
  plain: ({ name, endpoint, token }) => ({ name, endpoint, token }),
  newKeys: setUp,
}

/** @param {import('../lib/lane.mjs').LaneOptions} options */
export async function runLane(options) {
  const sdk = loadSdk()
  await runVendor(
    {
      vendor: 'gcp',
      judge: 'Google',
      expected: new URL('expected.json', import.meta.url),
      scenarios,
      refusal,
      createWorld: (target) => createWorld(sdk, target),
      names: Object.keys(targets),
      withTarget: (name, work) => targets[name](work),
      setUp,
      onRuntimes,
      defects: fakeDefects,
      withDefect: (defect, work) => withFake(work, [defect]),
    },
    options,
  )
}
