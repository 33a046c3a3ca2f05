/** Encrypt: what it answers, the checksums of both ways, sizes, and keys that cannot. */
import { crc32c, observe, utf8 } from '../world.mjs'

const secret = utf8('secret')
const aad = utf8('context')
const size = (length) => new Uint8Array(length).fill(0x78)

/** @type {import('../world.mjs').Scenario[]} */
export const encryptScenarios = [
  {
    name: 'encrypt/answer',
    run: async (world) => {
      const key = await world.sharedKey()
      return observe(
        () => world.encrypt(key, secret, aad),
        (answer) => ({
          name: answer.name === world.version(key, 1),
          level: answer.protectionLevel,
          longer: answer.ciphertext.length > secret.length + 16,
        }),
      )
    },
  },
  {
    name: 'encrypt/checksum-of-the-answer',
    run: async (world) =>
      observe(
        async () => world.encrypt(await world.sharedKey(), secret, aad),
        (answer) => world.numberOf(answer.ciphertextCrc32c) === crc32c(answer.ciphertext),
      ),
  },
  {
    name: 'encrypt/says-what-it-verified',
    run: async (world) => {
      const name = await world.sharedKey()
      const flags = (answer) => [
        answer.verifiedPlaintextCrc32c,
        answer.verifiedAdditionalAuthenticatedDataCrc32c,
      ]
      const bare = { name, plaintext: secret, additionalAuthenticatedData: aad }
      return {
        both: await observe(() => world.encrypt(name, secret, aad), flags),
        none: await observe(() => world.kms('encrypt', bare), flags),
        one: await observe(
          () => world.kms('encrypt', { ...bare, plaintextCrc32c: world.sum(secret) }),
          flags,
        ),
      }
    },
  },
  {
    name: 'encrypt/wrong-checksum-of-the-plaintext',
    run: async (world) => {
      const name = await world.sharedKey()
      const request = { name, plaintext: secret, plaintextCrc32c: world.sum(aad) }
      return observe(() => world.kms('encrypt', request))
    },
  },
  {
    name: 'encrypt/wrong-checksum-of-the-additional-data',
    run: async (world) => {
      const name = await world.sharedKey()
      const request = {
        name,
        plaintext: secret,
        additionalAuthenticatedData: aad,
        additionalAuthenticatedDataCrc32c: world.sum(secret),
      }
      return observe(() => world.kms('encrypt', request))
    },
  },
  {
    name: 'encrypt/twice-is-not-the-same',
    run: async (world) => {
      const key = await world.sharedKey()
      const [a, b] = [await world.encrypt(key, secret), await world.encrypt(key, secret)]
      return Buffer.compare(a.ciphertext, b.ciphertext) !== 0
    },
  },
  {
    name: 'encrypt/sizes',
    run: async (world) => {
      const key = await world.sharedKey()
      return {
        most: await observe(() => world.encrypt(key, size(65_536), size(65_536))),
        more: await observe(() => world.encrypt(key, size(65_537))),
        moreAad: await observe(() => world.encrypt(key, secret, size(65_537))),
      }
    },
  },
  {
    name: 'encrypt/sizes-of-an-hsm-key',
    run: async (world) => {
      const key = await world.createKey({
        purpose: 'ENCRYPT_DECRYPT',
        versionTemplate: {
          protectionLevel: 'HSM',
          algorithm: 'GOOGLE_SYMMETRIC_ENCRYPTION',
        },
      })
      return {
        most: await observe(
          () => world.encrypt(key, size(4_096), size(4_096)),
          (answer) => answer.protectionLevel,
        ),
        more: await observe(() => world.encrypt(key, size(4_096), size(4_097))),
      }
    },
  },
  {
    name: 'encrypt/unknown-key',
    run: async (world) => {
      await world.ready
      return observe(() => world.encrypt(`${world.ring}/cryptoKeys/none`, secret))
    },
  },
  {
    name: 'encrypt/key-for-signing',
    run: async (world) => {
      const algorithm = 'EC_SIGN_P256_SHA256'
      const key = await world.createKey({
        purpose: 'ASYMMETRIC_SIGN',
        versionTemplate: { algorithm },
      })
      return observe(() => world.encrypt(key, secret))
    },
  },
  {
    name: 'encrypt/under-a-named-version',
    run: async (world) => {
      const key = await world.createKey()
      await world.kms('createCryptoKeyVersion', {
        parent: key,
        cryptoKeyVersion: { state: 'ENABLED' },
      })
      const two = world.version(key, 2)
      const { name, ciphertext } = await world.encrypt(two, secret)
      return { name: name === two, opens: await world.opens(key, ciphertext, 'secret') }
    },
  },
]
