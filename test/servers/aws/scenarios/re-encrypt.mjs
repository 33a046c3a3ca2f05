/** ReEncrypt: the source it is pinned to, both contexts, and what it answers. */
import { observe } from '../world.mjs'

/**
 * Re-encrypts a ciphertext of key a under key b; `change` may alter the parameters.
 *
 * @param {import('../world.mjs').World} world
 * @param {(keys: any) => object} change
 * @param {(answer: any) => unknown} facts
 */
const reEncrypt = async (world, change = () => ({}), facts = () => true) => {
  const [a, b] = [await world.sharedKey('a'), await world.sharedKey('b')]
  const blob = await world.encrypt(a, 'secret', { from: '1' })
  const input = {
    CiphertextBlob: blob,
    SourceKeyId: a.Arn,
    SourceEncryptionContext: { from: '1' },
    DestinationKeyId: b.Arn,
    DestinationEncryptionContext: { to: '2' },
    ...change({ a, b }),
  }
  return observe(() => world.kms('ReEncrypt', input), facts)
}

/** @type {import('../world.mjs').Scenario[]} */
export const reEncryptScenarios = [
  {
    name: 're-encrypt/answer',
    run: async (world) => {
      const [a, b] = [await world.sharedKey('a'), await world.sharedKey('b')]
      return reEncrypt(world, undefined, (answer) => ({
        key: answer.KeyId === b.Arn,
        source: answer.SourceKeyId === a.Arn,
        sourceAlgorithm: answer.SourceEncryptionAlgorithm,
        algorithm: answer.DestinationEncryptionAlgorithm,
        materialIds:
          answer.SourceKeyMaterialId !== undefined && answer.DestinationKeyMaterialId !== undefined,
      }))
    },
  },
  {
    name: 're-encrypt/opens',
    run: async (world) => {
      let blob
      const made = await reEncrypt(world, undefined, (answer) => {
        blob = answer.CiphertextBlob
        return true
      })
      const b = await world.sharedKey('b')
      const open = (context) =>
        world.opens(blob, 'secret', { KeyId: b.Arn, EncryptionContext: context })
      return {
        made,
        underTheNewContext: await open({ to: '2' }),
        underTheOldContext: await open({ from: '1' }),
        withoutContext: await open(undefined),
      }
    },
  },
  {
    name: 're-encrypt/same-key',
    run: (world) => reEncrypt(world, ({ a }) => ({ DestinationKeyId: a.KeyId })),
  },
  {
    name: 're-encrypt/without-source-key',
    run: (world) => reEncrypt(world, () => ({ SourceKeyId: undefined })),
  },
  {
    name: 're-encrypt/wrong-source-key',
    run: (world) => reEncrypt(world, ({ b }) => ({ SourceKeyId: b.Arn })),
  },
  {
    name: 're-encrypt/wrong-source-context',
    run: (world) => reEncrypt(world, () => ({ SourceEncryptionContext: { from: '2' } })),
  },
  {
    name: 're-encrypt/unknown-destination',
    run: (world) =>
      reEncrypt(world, () => ({ DestinationKeyId: '11111111-2222-4333-8444-555555555555' })),
  },
]
