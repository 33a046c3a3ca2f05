/** Tags, key policies, descriptions, random bytes, and pages. */
import { observe, sameBytes } from '../world.mjs'

const tag = (TagKey, TagValue) => ({ TagKey, TagValue })

const tagsOf = (world, key) =>
  observe(
    () => world.kms('ListResourceTags', { KeyId: key.KeyId }),
    ({ Tags }) => Tags,
  )

const withTags = (Tags) => async (world) => {
  const key = await world.sharedKey()
  return observe(() => world.kms('TagResource', { KeyId: key.KeyId, Tags }))
}

const policyFor = ({ accountId }) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${accountId}:root` },
        Action: 'kms:*',
        Resource: '*',
      },
    ],
  })

const withPolicy = (change) => async (world) => {
  const key = await world.createKey()
  const input = { KeyId: key.KeyId, PolicyName: 'default', Policy: policyFor(world.target) }
  return observe(() => world.kms('PutKeyPolicy', { ...input, ...change }))
}

const random = (NumberOfBytes) => (world) =>
  observe(
    () => world.kms('GenerateRandom', { NumberOfBytes }),
    ({ Plaintext }) => Plaintext.length,
  )

/** @type {import('../world.mjs').Scenario[]} */
export const administrationScenarios = [
  {
    name: 'tags/put-replace-drop',
    run: async (world) => {
      const key = await world.createKey({ Tags: [tag('team', 'a')] })
      const { KeyId } = key
      const made = await tagsOf(world, key)
      await world.kms('TagResource', { KeyId, Tags: [tag('team', 'b'), tag('cost', '')] })
      const put = await tagsOf(world, key)
      await world.kms('UntagResource', { KeyId, TagKeys: ['team', 'unknown'] })
      return { made, put, dropped: await tagsOf(world, key) }
    },
  },
  { name: 'tags/reserved', run: withTags([tag('aws:x', '')]) },
  { name: 'tags/twice', run: withTags([tag('a', '1'), tag('a', '2')]) },
  {
    name: 'tags/too-many',
    run: withTags(Array.from({ length: 51 }, (_, index) => tag(`k${index}`, ''))),
  },
  {
    name: 'tags/of-a-replica',
    run: async (world) => {
      const { KeyId } = await world.createKey({ MultiRegion: true, Tags: [tag('of', 'primary')] })
      const ReplicaRegion = world.target.otherRegion
      const client = world.kmsClient({ region: ReplicaRegion })
      await world.kms('ReplicateKey', { KeyId, ReplicaRegion, Tags: [tag('of', 'replica')] })
      await world.kms('TagResource', { KeyId, Tags: [tag('more', '')] })
      return observe(
        () => world.kms('ListResourceTags', { KeyId }, client),
        ({ Tags }) => Tags,
      )
    },
  },
  {
    name: 'policies/default',
    run: async (world) => {
      const key = await world.createKey()
      return observe(
        () => world.kms('GetKeyPolicy', { KeyId: key.KeyId, PolicyName: 'default' }),
        ({ Policy }) => JSON.parse(Policy).Id,
      )
    },
  },
  {
    name: 'policies/put-get-list',
    run: async (world) => {
      const { KeyId } = await world.createKey()
      const Policy = policyFor(world.target)
      await world.kms('PutKeyPolicy', { KeyId, PolicyName: 'default', Policy })
      return {
        same: await observe(
          () => world.kms('GetKeyPolicy', { KeyId, PolicyName: 'default' }),
          (answer) => answer.Policy === Policy,
        ),
        names: await observe(
          () => world.kms('ListKeyPolicies', { KeyId }),
          ({ PolicyNames }) => PolicyNames,
        ),
      }
    },
  },
  { name: 'policies/not-json', run: withPolicy({ Policy: 'allow' }) },
  { name: 'policies/no-statement', run: withPolicy({ Policy: '{"Version":"2012-10-17"}' }) },
  {
    name: 'policies/another-name',
    run: async (world) => {
      const { KeyId } = await world.sharedKey()
      return observe(() => world.kms('GetKeyPolicy', { KeyId, PolicyName: 'mine' }))
    },
  },
  {
    name: 'keys/update-description',
    run: async (world) => {
      const { KeyId } = await world.createKey({ Description: 'old' })
      await world.kms('UpdateKeyDescription', { KeyId, Description: 'new' })
      return observe(
        () => world.kms('DescribeKey', { KeyId }),
        ({ KeyMetadata }) => KeyMetadata.Description,
      )
    },
  },
  { name: 'random/bytes-32', run: random(32) },
  { name: 'random/bytes-0', run: random(0) },
  { name: 'random/bytes-1025', run: random(1025) },
  {
    name: 'random/fresh-each-time',
    run: async (world) => {
      const input = { NumberOfBytes: 32 }
      const [a, b] = [
        await world.kms('GenerateRandom', input),
        await world.kms('GenerateRandom', input),
      ]
      return !sameBytes(a.Plaintext, b.Plaintext)
    },
  },
  {
    name: 'pages/walk',
    run: async (world) => {
      for (let made = 0; made < 3; made++) await world.createKey()
      const first = await world.kms('ListKeys', { Limit: 2 })
      const second = await world.kms('ListKeys', { Limit: 2, Marker: first.NextMarker })
      const ids = [...first.Keys, ...second.Keys].map(({ KeyId }) => KeyId)
      return { truncated: first.Truncated, different: new Set(ids).size === 4 }
    },
  },
  {
    name: 'pages/bad-marker',
    run: (world) => observe(() => world.kms('ListKeys', { Marker: 'not-a-marker' })),
  },
]
