/** Keys: their descriptions, rotation, versions. */
import { base64, observe } from '../world.mjs'

const versionOf = (ciphertext) => /^vault:v(\d+):/.exec(ciphertext)?.[1]

const info = (data) => ({
  type: data.type,
  derived: data.derived,
  latest: data.latest_version,
  minDecryption: data.min_decryption_version,
  minEncryption: data.min_encryption_version,
  encrypts: data.supports_encryption,
  decrypts: data.supports_decryption,
  derives: data.supports_derivation,
  signs: data.supports_signing,
  exportable: data.exportable,
  versions: Object.keys(data.keys),
})

const created = (input) => async (world) => {
  const key = await world.createKey(input)
  const { data } = await world.read(`transit/keys/${key}`)
  return { ...info(data), named: data.name === key, convergent: data.convergent_encryption }
}

const configure = async (world, input) => {
  const key = await world.createKey()
  await world.write(`transit/keys/${key}/rotate`)
  return observe(() => world.write(`transit/keys/${key}/config`, input))
}

/** @type {import('../world.mjs').Scenario[]} */
export const keyScenarios = [
  { name: 'keys/create', run: created({}) },
  { name: 'keys/create-derived', run: created({ derived: true }) },
  {
    name: 'keys/create-convergent',
    run: created({ derived: true, convergent_encryption: true }),
  },
  { name: 'keys/create-aes-128', run: created({ type: 'aes128-gcm96' }) },
  { name: 'keys/info-unknown', run: (world) => observe(() => world.read('transit/keys/nobody')) },
  {
    name: 'keys/rotate',
    run: async (world) => {
      const key = await world.createKey()
      const answer = await world.write(`transit/keys/${key}/rotate`)
      return info(answer.data)
    },
  },
  {
    name: 'keys/rotate-unknown',
    run: (world) => observe(() => world.write('transit/keys/nobody/rotate')),
  },
  {
    name: 'rotation/encrypts-under-the-latest',
    run: async (world) => {
      const key = await world.createKey()
      const before = await world.encrypt(key, 'x')
      await world.write(`transit/keys/${key}/rotate`)
      const answer = await world.write(`transit/encrypt/${key}`, { plaintext: base64('x') })
      return {
        before: versionOf(before),
        after: versionOf(answer.data.ciphertext),
        told: answer.data.key_version,
        oldOpens: await world.opens(key, before, 'x'),
      }
    },
  },
  {
    name: 'rotation/min-decryption-version',
    run: async (world) => {
      const key = await world.createKey()
      const old = await world.encrypt(key, 'x')
      await world.write(`transit/keys/${key}/rotate`)
      await world.write(`transit/keys/${key}/config`, { min_decryption_version: 2 })
      return world.opens(key, old, 'x')
    },
  },
  {
    name: 'rotation/min-decryption-version-too-high',
    run: (world) => configure(world, { min_decryption_version: 9 }),
  },
  {
    name: 'rotation/min-encryption-version',
    run: async (world) => {
      const key = await world.createKey()
      await world.write(`transit/keys/${key}/rotate`)
      await world.write(`transit/keys/${key}/config`, { min_encryption_version: 2 })
      const input = { plaintext: base64('x'), key_version: 1 }
      return observe(() => world.write(`transit/encrypt/${key}`, input))
    },
  },
  {
    name: 'rotation/older-version-by-number',
    run: async (world) => {
      const key = await world.createKey()
      await world.write(`transit/keys/${key}/rotate`)
      return versionOf(await world.encrypt(key, 'x', { key_version: 1 }))
    },
  },
  {
    name: 'encrypt/fresh-each-time',
    run: async (world) => {
      const key = await world.sharedKey()
      return (await world.encrypt(key, 'same')) !== (await world.encrypt(key, 'same'))
    },
  },
  {
    name: 'encrypt/unknown-key-is-made',
    run: async (world) => {
      const name = `made-${Date.now()}`
      const made = await observe(() => world.encrypt(name, 'x'))
      const { data } = await world.read(`transit/keys/${name}`)
      return { made, type: data.type, derived: data.derived }
    },
  },
  {
    name: 'encrypt/unknown-key-without-create',
    run: (world) => {
      const client = world.clientOf(world.target.encryptOnly)
      const input = { plaintext: base64('x') }
      return observe(() => world.write('transit/encrypt/nobody', input, client))
    },
  },
  {
    name: 'encrypt/no-plaintext',
    run: async (world) => {
      const key = await world.sharedKey()
      return observe(() => world.write(`transit/encrypt/${key}`, {}))
    },
  },
  {
    name: 'encrypt/empty',
    run: async (world) => {
      const key = await world.sharedKey()
      return world.opens(key, await world.encrypt(key, ''), '')
    },
  },
]
