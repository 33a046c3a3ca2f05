/** AWS's part of the lane: AWS's own client is the judge of every server, and of the fake. */
import { runVendor } from '../lib/lane.mjs'
import { loadSdk } from './clients.mjs'
import { fakeDefects, withFake } from './fake.mjs'
import { scenarios } from './scenarios.mjs'
import { setUpKeys } from './set-up.mjs'
import { names, withTarget } from './targets.mjs'
import { createWorld, refusal } from './world.mjs'

/**
 * The target of a provider's tests, with keys that are made for them alone.
 *
 * @typedef {import('./world.mjs').AwsTarget & import('./world.mjs').Credentials &
 *   Awaited<ReturnType<typeof setUpKeys>>} ProviderTarget
 *
 * @typedef {object} Tools
 * @property {(name: string, work: () => unknown) => Promise<void>} check never rejects
 * @property {(name: string, reason: string) => void} skip
 * @property {import('./world.mjs').World} world AWS's own client, aimed at the target
 */

const onRuntimes = {
  plain: ({ name, endpoint, region, credentials }) => ({ name, endpoint, region, credentials }),
  newKeys: async (world) => {
    const key = await world.createKey()
    const other = await world.createKey()
    return { keyArn: key.Arn, otherKeyArn: other.Arn, aliasName: await world.createAlias(key) }
  },
}

/** @param {import('../lib/lane.mjs').LaneOptions} options */
export async function runLane(options) {
  const sdk = loadSdk()
  await runVendor(
    {
      vendor: 'aws',
      judge: 'AWS',
      expected: new URL('expected.json', import.meta.url),
      scenarios,
      refusal,
      createWorld: (target) => createWorld(sdk, target),
      names,
      withTarget: (name, work) => withTarget(name, sdk, work),
      setUp: async (world) => ({ ...world.target.credentials, ...(await setUpKeys(world)) }),
      onRuntimes,
      defects: fakeDefects,
      withDefect: (defect, work) => withFake(sdk, work, [defect]),
    },
    options,
  )
}
