/** Keys, aliases, and the names by which a key is found. */
import { observe, utf8 } from '../world.mjs'

const unknownId = '11111111-2222-4333-8444-555555555555'
const materialId = /^[a-f0-9]{64}$/

const describe = (world, id, key) =>
  observe(
    () => world.kms('DescribeKey', { KeyId: id }),
    ({ KeyMetadata }) => (key === undefined ? true : KeyMetadata.Arn === key.Arn),
  )

/** @type {import('../world.mjs').Scenario[]} */
export const keyScenarios = [
  {
    name: 'keys/create',
    run: (world) =>
      observe(
        () => world.kms('CreateKey', {}),
        ({ KeyMetadata: key }) => ({
          state: key.KeyState,
          spec: key.KeySpec,
          usage: key.KeyUsage,
          multiRegion: key.MultiRegion,
          arn: key.Arn === arnOf(world.target, key.KeyId),
        }),
      ),
  },
  {
    name: 'keys/material-id',
    run: async (world) => {
      const key = await world.sharedKey()
      return observe(
        () => world.kms('DescribeKey', { KeyId: key.KeyId }),
        ({ KeyMetadata }) => materialId.test(KeyMetadata.CurrentKeyMaterialId ?? ''),
      )
    },
  },
  {
    name: 'keys/describe-by-every-name',
    run: async (world) => {
      const key = await world.createKey()
      const alias = await world.createAlias(key)
      const aliasArn = key.Arn.replace(/key\/.*/, alias)
      return {
        id: await describe(world, key.KeyId, key),
        arn: await describe(world, key.Arn, key),
        alias: await describe(world, alias, key),
        aliasArn: await describe(world, aliasArn, key),
      }
    },
  },
  {
    name: 'keys/describe-unknown',
    run: async (world) => ({
      id: await describe(world, unknownId),
      arn: await describe(world, arnOf(world.target, unknownId)),
      alias: await describe(world, 'alias/there-is-no-such-alias'),
      multiRegionId: await describe(world, 'mrk-11111111222243338444555555555555'),
    }),
  },
  {
    name: 'keys/describe-what-is-no-key-id',
    run: (world) => describe(world, 'not-a-key-id'),
  },
  {
    name: 'keys/describe-arn-of-another-region',
    run: async (world) => {
      const key = await world.sharedKey()
      return describe(world, key.Arn.replace(world.target.region, world.target.otherRegion))
    },
  },
  {
    name: 'keys/encrypt-unknown',
    run: (world) => observe(() => world.kms('Encrypt', { KeyId: unknownId, Plaintext: utf8('x') })),
  },
  {
    name: 'keys/alias-exists',
    run: async (world) => {
      const key = await world.sharedKey()
      const alias = await world.createAlias(key)
      return observe(() => world.kms('CreateAlias', { AliasName: alias, TargetKeyId: key.KeyId }))
    },
  },
  {
    name: 'keys/alias-without-prefix',
    run: async (world) => {
      const key = await world.sharedKey()
      return observe(() =>
        world.kms('CreateAlias', { AliasName: 'no-prefix', TargetKeyId: key.KeyId }),
      )
    },
  },
  {
    name: 'keys/alias-moves',
    run: async (world) => {
      const [a, b] = [await world.sharedKey('a'), await world.sharedKey('b')]
      const alias = await world.createAlias(a)
      const by = async (key) =>
        observe(
          () => world.kms('Encrypt', { KeyId: alias, Plaintext: utf8('x') }),
          (answer) => answer.KeyId === key.Arn,
        )
      const before = await by(a)
      const move = await observe(() =>
        world.kms('UpdateAlias', { AliasName: alias, TargetKeyId: b.KeyId }),
      )
      return { before, move, after: await by(b) }
    },
  },
]

export const arnOf = (target, keyId) =>
  `arn:aws:kms:${target.region}:${target.accountId}:key/${keyId}`
