/** Keys and versions: making them, their states, and which one is the primary. */
import { observe, utf8 } from '../world.mjs'

const secret = utf8('secret')
const newVersion = (world, parent) =>
  world.kms('createCryptoKeyVersion', { parent, cryptoKeyVersion: { state: 'ENABLED' } })
const promote = (world, name, cryptoKeyVersionId) =>
  world.kms('updateCryptoKeyPrimaryVersion', { name, cryptoKeyVersionId })
const numberOf = (name) => name.slice(name.lastIndexOf('/') + 1)

/** @type {import('../world.mjs').Scenario[]} */
export const keyScenarios = [
  {
    name: 'rings/create',
    run: async (world) => {
      const { location: parent } = world.target
      const keyRingId = `${numberOf(world.ring)}-2`
      return observe(
        () => world.kms('createKeyRing', { parent, keyRingId, keyRing: {} }),
        ({ name }) => name === `${world.ring}-2`,
      )
    },
  },
  {
    name: 'keys/create',
    run: async (world) => {
      const name = await world.createKey()
      const key = await world.kms('getCryptoKey', { name })
      return {
        name: key.name === name,
        purpose: key.purpose,
        primary: numberOf(key.primary.name),
        state: key.primary.state,
        level: key.primary.protectionLevel,
      }
    },
  },
  {
    name: 'keys/create-again',
    run: async (world) => {
      const name = await world.sharedKey()
      const cryptoKeyId = numberOf(name)
      const cryptoKey = { purpose: 'ENCRYPT_DECRYPT' }
      return observe(() =>
        world.kms('createCryptoKey', { parent: world.ring, cryptoKeyId, cryptoKey }),
      )
    },
  },
  {
    name: 'keys/get-unknown',
    run: async (world) => {
      await world.ready
      return observe(() => world.kms('getCryptoKey', { name: `${world.ring}/cryptoKeys/none` }))
    },
  },
  {
    name: 'versions/get-unknown',
    run: async (world) => {
      const name = world.version(await world.sharedKey(), 17)
      return observe(() => world.kms('getCryptoKeyVersion', { name }))
    },
  },
  {
    name: 'versions/a-new-one-is-not-the-primary',
    run: async (world) => {
      const key = await world.createKey()
      const { name, state } = await newVersion(world, key)
      const { primary } = await world.kms('getCryptoKey', { name: key })
      return { number: numberOf(name), state, primary: numberOf(primary.name) }
    },
  },
  {
    name: 'versions/the-promoted-one-encrypts-and-old-ones-open',
    run: async (world) => {
      const key = await world.createKey()
      const old = await world.encrypt(key, secret)
      await newVersion(world, key)
      const { primary } = await promote(world, key, '2')
      const next = await world.encrypt(key, secret)
      const used = async (ciphertext) => (await world.decrypt(key, ciphertext)).usedPrimary
      return {
        answered: numberOf(primary.name),
        encrypts: numberOf(next.name),
        old: await used(old.ciphertext),
        new: await used(next.ciphertext),
      }
    },
  },
  {
    name: 'versions/promote-unknown',
    run: async (world) => {
      const key = await world.sharedKey()
      return observe(() => promote(world, key, '17'))
    },
  },
  {
    name: 'versions/promote-disabled',
    run: async (world) => {
      const key = await world.createKey()
      await newVersion(world, key)
      await world.setState(world.version(key, 2), 'DISABLED')
      return observe(() => promote(world, key, '2'))
    },
  },
  {
    name: 'states/disabled-and-enabled-again',
    run: async (world) => {
      const key = await world.createKey()
      const { ciphertext } = await world.encrypt(key, secret)
      const { state } = await world.setState(world.version(key, 1), 'DISABLED')
      const encrypt = await observe(() => world.encrypt(key, secret))
      const decrypt = await world.opens(key, ciphertext, 'secret')
      await world.setState(world.version(key, 1), 'ENABLED')
      return { state, encrypt, decrypt, again: await world.opens(key, ciphertext, 'secret') }
    },
  },
  {
    name: 'states/destroyed-and-restored',
    run: async (world) => {
      const key = await world.createKey()
      const name = world.version(key, 1)
      const { ciphertext } = await world.encrypt(key, secret)
      const { state } = await world.kms('destroyCryptoKeyVersion', { name })
      const decrypt = await world.opens(key, ciphertext, 'secret')
      const restored = await world.kms('restoreCryptoKeyVersion', { name })
      return { state, decrypt, restored: restored.state }
    },
  },
  {
    name: 'states/destroyed-twice',
    run: async (world) => {
      const name = world.version(await world.createKey(), 1)
      await world.kms('destroyCryptoKeyVersion', { name })
      return observe(() => world.kms('destroyCryptoKeyVersion', { name }))
    },
  },
]
