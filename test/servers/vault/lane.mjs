/** Vault's part of the lane: node-vault sees OpenBao and the fake, and the provider is run against both. */
import { runVendor } from '../lib/lane.mjs'
import { loadClient } from './clients.mjs'
import { fakeDefects, withFake } from './fake.mjs'
import { withOpenBao } from './openbao.mjs'
import { scenarios } from './scenarios.mjs'
import { createWorld, refusal } from './world.mjs'

const targets = { openbao: withOpenBao, fake: withFake }

/** Returns the keys that are made for a provider's tests alone, beside the target. */
async function setUp(world) {
  const [key, other] = [await world.createKey(), await world.createKey()]
  const derived = await world.createKey({ derived: true })
  const otherDerived = await world.createKey({ derived: true })
  return { key, other, derived, otherDerived }
}

const onRuntimes = {
  plain: ({ name, endpoint, token }) => ({ name, endpoint, token }),
  newKeys: setUp,
}

/** @param {import('../lib/lane.mjs').LaneOptions} options */
export async function runLane(options) {
  const nodeVault = loadClient()
  await runVendor(
    {
      vendor: 'vault',
      judge: 'OpenBao',
      expected: new URL('expected.json', import.meta.url),
      scenarios,
      refusal,
      createWorld: (target) => createWorld(nodeVault, target),
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
