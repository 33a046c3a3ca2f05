/** wrapKey and unwrapKey. */
import { flip, observe, sameBytes } from '../world.mjs'

const hex32 = /\/[0-9a-f]{32}$/

/** @type {import('../world.mjs').Scenario[]} */
export const wrappingScenarios = [
  {
    name: 'wrap/rsa-oaep-256',
    run: async (world) => {
      const key = await world.sharedKey()
      const made = await world.cryptography(key.id).wrapKey('RSA-OAEP-256', world.dek)
      const names = world.lastKid() === key.id
      const again = await world.wrap(key)
      return {
        names,
        length: made.result.length,
        random: !sameBytes(made.result, again),
        opens: await world.opens(key.id, made.result),
      }
    },
  },
  {
    name: 'wrap/without-a-version',
    run: async (world) => {
      const key = await world.createKey()
      const bare = key.id.replace(hex32, '')
      const made = await world.cryptography(bare).wrapKey('RSA-OAEP-256', world.dek)
      const names = world.lastKid() === key.id
      return { names, opens: await world.opens(key.id, made.result) }
    },
  },
  {
    name: 'wrap/by-the-public-key-alone',
    // RSA-OAEP is what the client does by itself, with the public key that it was given.
    run: async (world) => {
      const key = await world.sharedKey()
      const wrapped = await world.wrap(key, 'RSA-OAEP', world.admin)
      return world.opens(key.id, wrapped, { algorithm: 'RSA-OAEP' })
    },
  },
  {
    name: 'wrap/a256kw',
    run: async (world) => {
      const key = await world.sharedKey('hsm')
      const made = await world.wrap(key, 'A256KW')
      return {
        length: made.length,
        deterministic: sameBytes(made, await world.wrap(key, 'A256KW')),
        opens: await world.opens(key.id, made, { algorithm: 'A256KW' }),
        changed: await world.opens(key.id, flip(made, -1), { algorithm: 'A256KW' }),
      }
    },
  },
  {
    name: 'wrap/algorithm-of-another-type',
    run: async (world) => {
      const [rsa, hsm] = [await world.sharedKey(), await world.sharedKey('hsm')]
      return {
        rsa: await observe(() => world.wrap(rsa, 'A256KW')),
        hsm: await observe(() => world.wrap(hsm, 'RSA-OAEP-256')),
      }
    },
  },
  {
    name: 'unwrap/changed',
    run: async (world) => {
      const key = await world.sharedKey()
      const wrapped = await world.wrap(key)
      return {
        first: await world.opens(key.id, flip(wrapped, 0)),
        last: await world.opens(key.id, flip(wrapped, -1)),
        short: await world.opens(key.id, wrapped.slice(1)),
        long: await world.opens(key.id, Buffer.concat([wrapped, Buffer.of(0)])),
        empty: await world.opens(key.id, new Uint8Array(0)),
      }
    },
  },
  {
    name: 'unwrap/another-algorithm',
    run: async (world) => {
      const key = await world.sharedKey()
      return world.opens(key.id, await world.wrap(key), { algorithm: 'RSA-OAEP' })
    },
  },
  {
    name: 'unwrap/another-key',
    run: async (world) => {
      const [key, other] = [await world.sharedKey(), await world.sharedKey('other')]
      return world.opens(other.id, await world.wrap(key))
    },
  },
  {
    name: 'unwrap/another-version',
    run: async (world) => {
      const old = await world.createKey()
      const wrapped = await world.wrap(old)
      const next = await world.client().rotateKey(old.name)
      return {
        old: await world.opens(old.id, wrapped),
        next: await world.opens(next.id, wrapped),
      }
    },
  },
  {
    name: 'unwrap/names-its-version',
    run: async (world) => {
      const key = await world.sharedKey()
      const wrapped = await world.wrap(key)
      await world.opens(key.id, wrapped)
      return world.lastKid() === key.id
    },
  },
  {
    name: 'unwrap/unknown-version',
    run: async (world) => {
      const key = await world.sharedKey()
      const wrapped = await world.wrap(key)
      return world.opens(key.id.replace(hex32, `/${'0'.repeat(32)}`), wrapped)
    },
  },
  {
    name: 'unwrap/unknown-key',
    run: async (world) => {
      const { id } = await world.sharedKey()
      return world.opens(id.replace(/keys\/[^/]+/, 'keys/nothing'), new Uint8Array(256))
    },
  },
]
