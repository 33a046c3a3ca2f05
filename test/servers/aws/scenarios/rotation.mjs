/** On-demand rotation, and multi-region keys. */
import { observe, utf8 } from '../world.mjs'

const rotate = (world, key) =>
  observe(
    () => world.kms('RotateKeyOnDemand', { KeyId: key.KeyId }),
    (answer) => answer.KeyId === key.Arn,
  )

const currentMaterial = async (world, key) =>
  (await world.kms('DescribeKey', { KeyId: key.KeyId })).KeyMetadata.CurrentKeyMaterialId

/** A primary key in the target's region with a replica in the other one. */
const related = async (world) => {
  const primary = await world.createKey({ MultiRegion: true })
  const there = world.kmsClient({ region: world.target.otherRegion })
  const made = await world.kms('ReplicateKey', {
    KeyId: primary.KeyId,
    ReplicaRegion: world.target.otherRegion,
  })
  const replica = made.ReplicaKeyMetadata
  for (let look = 0; look < 100; look++) {
    const { KeyMetadata } = await world.kms('DescribeKey', { KeyId: replica.KeyId }, there)
    if (KeyMetadata.KeyState !== 'Creating') break
    await world.pause(100)
  }
  return { primary, replica, there }
}

/** @type {import('../world.mjs').Scenario[]} */
export const rotationScenarios = [
  {
    name: 'rotation/old-and-new-ciphertexts-open',
    run: async (world) => {
      const key = await world.createKey()
      const before = await world.encrypt(key, 'before')
      const rotated = await rotate(world, key)
      const after = await world.encrypt(key, 'after')
      return {
        rotated,
        old: await world.opens(before, 'before', { KeyId: key.Arn }),
        new: await world.opens(after, 'after', { KeyId: key.Arn }),
      }
    },
  },
  {
    name: 'rotation/new-material',
    run: async (world) => {
      const key = await world.createKey()
      const before = await currentMaterial(world, key)
      await world.kms('RotateKeyOnDemand', { KeyId: key.KeyId })
      const after = await currentMaterial(world, key)
      return { named: before !== undefined, changed: before !== after }
    },
  },
  {
    name: 'rotation/ciphertext-names-its-material',
    run: async (world) => {
      const key = await world.createKey()
      const blob = await world.encrypt(key, 'secret')
      const before = await currentMaterial(world, key)
      await world.kms('RotateKeyOnDemand', { KeyId: key.KeyId })
      return observe(
        () => world.kms('Decrypt', { CiphertextBlob: blob, KeyId: key.Arn }),
        (answer) => answer.KeyMaterialId !== undefined && answer.KeyMaterialId === before,
      )
    },
  },
  {
    name: 'rotation/asymmetric-key',
    run: async (world) => {
      const key = await world.sharedKey('rsa', {
        KeySpec: 'RSA_2048',
        KeyUsage: 'ENCRYPT_DECRYPT',
      })
      return rotate(world, key)
    },
  },
  {
    name: 'rotation/unknown-key',
    run: (world) => rotate(world, { KeyId: '11111111-2222-4333-8444-555555555555' }),
  },
  {
    name: 'multi-region/names',
    run: async (world) => {
      const { primary, replica } = await related(world)
      return {
        prefix: primary.KeyId.startsWith('mrk-'),
        sameId: primary.KeyId === replica.KeyId,
        type: primary.MultiRegionConfiguration?.MultiRegionKeyType,
        replicaType: replica.MultiRegionConfiguration?.MultiRegionKeyType,
        arn: replica.Arn === primary.Arn.replace(world.target.region, world.target.otherRegion),
      }
    },
  },
  {
    name: 'multi-region/opens-there',
    run: async (world) => {
      const { primary, replica, there } = await related(world)
      const blob = await world.encrypt(primary, 'secret', { a: '1' })
      const input = { CiphertextBlob: blob, EncryptionContext: { a: '1' } }
      const facts = (answer) => answer.KeyId === replica.Arn
      return {
        pinned: await observe(
          () => world.kms('Decrypt', { ...input, KeyId: replica.Arn }, there),
          facts,
        ),
        unpinned: await observe(() => world.kms('Decrypt', input, there), facts),
      }
    },
  },
  {
    name: 'multi-region/opens-back-here',
    run: async (world) => {
      const { primary, replica, there } = await related(world)
      const input = { KeyId: replica.KeyId, Plaintext: utf8('secret') }
      const { CiphertextBlob } = await world.kms('Encrypt', input, there)
      return world.opens(CiphertextBlob, 'secret', { KeyId: primary.Arn })
    },
  },
  {
    name: 'multi-region/opens-there-after-rotation',
    run: async (world) => {
      const { primary, replica, there } = await related(world)
      await world.kms('RotateKeyOnDemand', { KeyId: primary.KeyId })
      const blob = await world.encrypt(primary, 'secret')
      return world.opens(blob, 'secret', { KeyId: replica.Arn }, there)
    },
  },
  {
    name: 'multi-region/replica-of-a-replica',
    run: async (world) => {
      const { replica, there } = await related(world)
      return observe(() =>
        world.kms('ReplicateKey', { KeyId: replica.KeyId, ReplicaRegion: 'ap-southeast-1' }, there),
      )
    },
  },
  {
    name: 'multi-region/second-replica-in-a-region',
    run: async (world) => {
      const { primary } = await related(world)
      return observe(() =>
        world.kms('ReplicateKey', {
          KeyId: primary.KeyId,
          ReplicaRegion: world.target.otherRegion,
        }),
      )
    },
  },
  {
    name: 'multi-region/single-region-ciphertext-there',
    run: async (world) => {
      const there = world.kmsClient({ region: world.target.otherRegion })
      const blob = await world.encrypt(await world.sharedKey(), 'secret')
      return world.opens(blob, 'secret', {}, there)
    },
  },
]
