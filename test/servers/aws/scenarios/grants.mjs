/** Grants: what they permit, for whom, and how they end. */
import { observe, utf8 } from '../world.mjs'

const context = { tenant: 'acme' }

const granteeOf = ({ target }) => `arn:aws:iam::${target.accountId}:user/encrypt-only`

/** A user whose own policy does not permit Decrypt. */
const grantee = (world) => world.kmsClient({ credentials: world.target.encryptOnly })

/** A key, a ciphertext under it, and a grant for Decrypt to a user that may not. */
async function granted(world, input = {}) {
  const key = await world.createKey()
  const blob = await world.encrypt(key, 'secret', context)
  const grant = await world.kms('CreateGrant', {
    KeyId: key.KeyId,
    GranteePrincipal: granteeOf(world),
    Operations: ['Decrypt'],
    ...input,
  })
  const client = grantee(world)
  const opens = () => world.opens(blob, 'secret', { EncryptionContext: context }, client)
  return { key, blob, grant, client, opens }
}

const create = (change) => async (world) => {
  const key = await world.sharedKey()
  return observe(() =>
    world.kms('CreateGrant', {
      KeyId: key.KeyId,
      GranteePrincipal: granteeOf(world),
      Operations: ['Decrypt'],
      ...change,
    }),
  )
}

/** @type {import('../world.mjs').Scenario[]} */
export const grantScenarios = [
  {
    name: 'grants/permit-until-revoked',
    run: async (world) => {
      const { key, grant, opens } = await granted(world)
      const before = await opens()
      const end = await observe(() =>
        world.kms('RevokeGrant', { KeyId: key.KeyId, GrantId: grant.GrantId }),
      )
      return { before, end, after: await opens() }
    },
  },
  {
    name: 'grants/permit-nothing-else',
    run: async (world) => {
      const { key, client } = await granted(world, { Operations: ['Encrypt'] })
      return observe(() => world.kms('DescribeKey', { KeyId: key.KeyId }, client))
    },
  },
  {
    name: 'grants/constraints',
    run: async (world) => {
      const constrained = async (Constraints) => (await granted(world, { Constraints })).opens()
      return {
        subset: await constrained({ EncryptionContextSubset: context }),
        other: await constrained({ EncryptionContextSubset: { tenant: 'other' } }),
        equals: await constrained({ EncryptionContextEquals: context }),
        more: await constrained({ EncryptionContextEquals: { ...context, row: '1' } }),
      }
    },
  },
  {
    name: 'grants/list',
    run: async (world) => {
      const constraints = { EncryptionContextSubset: context }
      const input = { Constraints: constraints, Name: 'mine', RetiringPrincipal: granteeOf(world) }
      const { key, grant } = await granted(world, input)
      const facts = ({ Grants: [one] }) => ({
        id: one.GrantId === grant.GrantId,
        key: one.KeyId === key.Arn,
        name: one.Name,
        grantee: one.GranteePrincipal === granteeOf(world),
        retiring: one.RetiringPrincipal === granteeOf(world),
        operations: one.Operations,
        constraints: one.Constraints,
        date: one.CreationDate instanceof Date,
      })
      return observe(() => world.kms('ListGrants', { KeyId: key.KeyId }), facts)
    },
  },
  {
    name: 'grants/list-retirable',
    run: async (world) => {
      const { grant } = await granted(world, { RetiringPrincipal: granteeOf(world) })
      return observe(
        () => world.kms('ListRetirableGrants', { RetiringPrincipal: granteeOf(world) }),
        ({ Grants }) => Grants.some(({ GrantId }) => GrantId === grant.GrantId),
      )
    },
  },
  {
    name: 'grants/retry-by-name',
    run: async (world) => {
      const { key, grant } = await granted(world, { Name: 'again' })
      const input = { KeyId: key.KeyId, GranteePrincipal: granteeOf(world), Name: 'again' }
      const again = await world.kms('CreateGrant', { ...input, Operations: ['Decrypt'] })
      return {
        id: again.GrantId === grant.GrantId,
        token: again.GrantToken === grant.GrantToken,
      }
    },
  },
  {
    name: 'grants/retire-by-token',
    run: async (world) => {
      const { key, grant } = await granted(world)
      const end = await observe(() => world.kms('RetireGrant', { GrantToken: grant.GrantToken }))
      const left = await observe(
        () => world.kms('ListGrants', { KeyId: key.KeyId }),
        ({ Grants }) => Grants.length,
      )
      return { end, left }
    },
  },
  {
    name: 'grants/retire-as-stranger',
    run: async (world) => {
      const { grant, client } = await granted(world)
      return observe(() => world.kms('RetireGrant', { GrantToken: grant.GrantToken }, client))
    },
  },
  {
    name: 'grants/revoke-unknown',
    run: async (world) => {
      const key = await world.sharedKey()
      const input = { KeyId: key.KeyId, GrantId: '0'.repeat(64) }
      return observe(() => world.kms('RevokeGrant', input))
    },
  },
  { name: 'grants/unknown-operation', run: create({ Operations: ['DisableKey'] }) },
  { name: 'grants/operation-of-another-kind', run: create({ Operations: ['Sign'] }) },
  { name: 'grants/no-principal-arn', run: create({ GranteePrincipal: 'app' }) },
  { name: 'grants/dry-run', run: create({ DryRun: true }) },
  {
    name: 'grants/unknown-token',
    run: async (world) => {
      const key = await world.sharedKey()
      const input = { KeyId: key.KeyId, Plaintext: utf8('x'), GrantTokens: ['unknown'] }
      return observe(() => world.kms('Encrypt', input))
    },
  },
]
