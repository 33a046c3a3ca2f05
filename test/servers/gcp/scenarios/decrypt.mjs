/** Decrypt: the additional data that must match, damaged and foreign ciphertexts, checksums. */
import { crc32c, flip, observe, utf8 } from '../world.mjs'

const secret = utf8('secret')

/** Encrypts with one additional data and decrypts with another. */
const contexts = async (world, a, b) => {
  const key = await world.sharedKey()
  const { ciphertext } = await world.encrypt(key, secret, a && utf8(a))
  return world.opens(key, ciphertext, 'secret', b && utf8(b))
}

/** Encrypts, and decrypts what `change` makes of the ciphertext. */
const changed = async (world, change) => {
  const key = await world.sharedKey()
  const { ciphertext } = await world.encrypt(key, secret)
  return world.opens(key, change(ciphertext), 'secret')
}

/** @type {import('../world.mjs').Scenario[]} */
export const decryptScenarios = [
  {
    name: 'decrypt/answer',
    run: async (world) => {
      const key = await world.sharedKey()
      const { ciphertext } = await world.encrypt(key, secret, utf8('context'))
      return observe(
        () => world.decrypt(key, ciphertext, utf8('context')),
        (answer) => ({
          plaintext: Buffer.from(answer.plaintext).toString(),
          usedPrimary: answer.usedPrimary,
          level: answer.protectionLevel,
        }),
      )
    },
  },
  {
    name: 'decrypt/checksum-of-the-answer',
    run: async (world) => {
      const key = await world.sharedKey()
      const { ciphertext } = await world.encrypt(key, secret)
      return observe(
        () => world.decrypt(key, ciphertext),
        (answer) => world.numberOf(answer.plaintextCrc32c) === crc32c(secret),
      )
    },
  },
  { name: 'decrypt/other-additional-data', run: (world) => contexts(world, 'a', 'b') },
  { name: 'decrypt/without-additional-data', run: (world) => contexts(world, 'a', undefined) },
  { name: 'decrypt/more-additional-data', run: (world) => contexts(world, undefined, 'a') },
  { name: 'decrypt/changed-at-its-end', run: (world) => changed(world, (one) => flip(one, -1)) },
  { name: 'decrypt/changed-at-its-start', run: (world) => changed(world, (one) => flip(one, 5)) },
  { name: 'decrypt/cut-short', run: (world) => changed(world, (one) => one.slice(0, 20)) },
  { name: 'decrypt/no-ciphertext', run: (world) => changed(world, () => utf8('junk')) },
  {
    name: 'decrypt/ciphertext-of-another-key',
    run: async (world) => {
      const { ciphertext } = await world.encrypt(await world.sharedKey('a'), secret)
      return world.opens(await world.sharedKey('b'), ciphertext, 'secret')
    },
  },
  {
    name: 'decrypt/wrong-checksum-of-the-ciphertext',
    run: async (world) => {
      const name = await world.sharedKey()
      const { ciphertext } = await world.encrypt(name, secret)
      const request = { name, ciphertext, ciphertextCrc32c: world.sum(secret) }
      return observe(() => world.kms('decrypt', request))
    },
  },
  {
    name: 'decrypt/unknown-key',
    run: async (world) => {
      const { ciphertext } = await world.encrypt(await world.sharedKey(), secret)
      return world.opens(`${world.ring}/cryptoKeys/none`, ciphertext, 'secret')
    },
  },
]
