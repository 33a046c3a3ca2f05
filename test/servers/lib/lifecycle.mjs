/**
 * The contract of key lifecycles against one target, and what rotations need of it: what automatic rotation leaves
 * readable, and what a retirement ends.
 */
import { keyLifecycleContract } from '../../../src/testing/index.ts'

const context = { 'edge-kms:dk': 'salt.1' }

/**
 * A wrap under the current version, with what opens it.
 *
 * @param {import('../../../src/index.ts').KeyManagementService} kms
 */
export async function wrapped(kms) {
  const { wraps } = await kms.generateDataKey({ context })
  const [{ provider, kekId, kekVersion }] = wraps
  return {
    version: { provider, kekId, kekVersion },
    open: async () => (await kms.unwrapDataKey(wraps, { context })).plaintext.dispose(),
  }
}

/**
 * @param {string} name
 * @param {import('../../../src/testing/index.ts').KeyLifecycleSubject} subject
 * @param {{ check: Function, skip: Function }} tools
 * @param {Readonly<Record<string, string>>} [deviations] cases that a server fails by itself, with the reason
 */
export async function runLifecycleContract(name, subject, { check, skip }, deviations = {}) {
  for (const one of keyLifecycleContract(subject)) {
    const label = `${name}: ${one.name}`
    const deviation = deviations[one.name]
    if (one.skip !== undefined) skip(label, one.skip)
    else if (deviation === undefined) await check(label, one.run)
    else await check(`${label}: this server ${deviation}`, () => mustFail(one.run))
  }
}

/** A listed deviation that no longer deviates must leave the list. @param {() => Promise<void>} run */
async function mustFail(run) {
  const failed = await run().then(
    () => false,
    () => true,
  )
  if (!failed) throw new Error('it deviates no more: take it off the list')
}
