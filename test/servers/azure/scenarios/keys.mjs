/** Keys, their versions and states. */
import { observe } from '../world.mjs'

const past = () => new Date(Date.now() - 60_000)
const future = () => new Date(Date.now() + 600_000)

const use = async (world, key, wrapped) => ({
  wrap: await observe(() => world.cryptography(key.id).wrapKey('RSA-OAEP-256', world.dek)),
  unwrap: await world.opens(key.id, wrapped),
})

/** The same key before and after its attributes are changed. */
const changed = (change) => async (world) => {
  const key = await world.createKey()
  const wrapped = await world.wrap(key)
  await world.client().updateKeyProperties(key.name, key.properties.version, change())
  return use(world, key, wrapped)
}

/** @type {import('../world.mjs').Scenario[]} */
export const keyScenarios = [
  {
    name: 'key/create',
    run: async (world) => {
      const { id, name, keyType, keyOperations, properties, key } = await world.createKey()
      return {
        id: /^https:\/\/acme\.vault\.azure\.net\/keys\/[\w-]+\/[0-9a-f]{32}$/.test(id),
        named: id.includes(`/keys/${name}/`),
        keyType,
        keyOperations,
        enabled: properties.enabled,
        modulus: Buffer.from(key.n).length,
        private: 'd' in key && key.d !== undefined,
      }
    },
  },
  {
    name: 'key/create-oct',
    run: async (world) => ({
      vault: await observe(() => world.createKey({ keySize: 256 }, 'oct-HSM')),
      hsm: await observe(
        () => world.createHsmKey(),
        ({ keyType }) => keyType,
      ),
    }),
  },
  {
    name: 'key/get',
    run: async (world) => {
      const key = await world.sharedKey()
      const same = (one) => one.id === key.id
      const { version } = key.properties
      return {
        current: await observe(() => world.client().getKey(key.name), same),
        version: await observe(() => world.client().getKey(key.name, { version }), same),
        upperCase: await observe(() => world.client().getKey(key.name.toUpperCase()), same),
        unknown: await observe(() => world.client().getKey('nothing')),
        unknownVersion: await observe(() =>
          world.client().getKey(key.name, { version: '0'.repeat(32) }),
        ),
      }
    },
  },
  {
    name: 'key/new-version',
    run: async (world) => {
      const first = await world.createKey()
      const second = await world.client().createKey(first.name, 'RSA')
      const versions = []
      for await (const { version } of world.client().listPropertiesOfKeyVersions(first.name))
        versions.push(version)
      const current = await world.client().getKey(first.name)
      return {
        differs: first.id !== second.id,
        current: current.id === second.id,
        listed: versions.length,
      }
    },
  },
  {
    name: 'key/deleted',
    run: async (world) => {
      const key = await world.createKey()
      const wrapped = await world.wrap(key)
      await world.client().beginDeleteKey(key.name, { intervalInMs: 1 })
      return {
        get: await observe(() => world.client().getKey(key.name)),
        ...(await use(world, key, wrapped)),
        again: await observe(() => world.client().createKey(key.name, 'RSA')),
      }
    },
  },
  { name: 'state/disabled', run: changed(() => ({ enabled: false })) },
  { name: 'state/expired', run: changed(() => ({ expiresOn: past() })) },
  { name: 'state/not-yet-valid', run: changed(() => ({ notBefore: future() })) },
  { name: 'state/expires-later', run: changed(() => ({ expiresOn: future() })) },
  {
    name: 'operations/wrap-alone',
    run: changed(() => ({ keyOps: ['wrapKey'] })),
  },
  {
    name: 'operations/sign-alone',
    run: changed(() => ({ keyOps: ['sign'] })),
  },
  {
    name: 'rotation/now',
    run: async (world) => {
      const old = await world.createKey()
      const next = await world.client().rotateKey(old.name)
      const current = await world.client().getKey(old.name)
      return {
        differs: next.id !== old.id,
        current: current.id === next.id,
        sameOperations: next.keyOperations.join() === old.keyOperations.join(),
        unknown: await observe(() => world.client().rotateKey('nothing')),
      }
    },
  },
  {
    name: 'rotation/policy',
    run: async (world) => {
      const { name } = await world.createKey()
      const policy = {
        lifetimeActions: [{ action: 'Rotate', timeAfterCreate: 'P90D' }],
        expiresIn: 'P2Y',
      }
      const set = await world.client().updateKeyRotationPolicy(name, policy)
      const got = await world.client().getKeyRotationPolicy(name)
      const facts = ({ expiresIn, lifetimeActions }) => ({
        expiresIn,
        actions: lifetimeActions.map(({ action, timeAfterCreate }) => [
          action.toLowerCase(),
          timeAfterCreate,
        ]),
      })
      return { set: facts(set), got: facts(got) }
    },
  },
  {
    name: 'rotation/before-no-expiry',
    run: async (world) => {
      const { name } = await world.createKey()
      const lifetimeActions = [{ action: 'Rotate', timeBeforeExpiry: 'P30D' }]
      return observe(() => world.client().updateKeyRotationPolicy(name, { lifetimeActions }))
    },
  },
]
