/** Tokens and permissions, and random bytes. */
import { crc32c, observe, utf8 } from '../world.mjs'

const secret = utf8('secret')

const randomBytes = (world, request) =>
  observe(
    () => world.kms('generateRandomBytes', { location: world.target.location, ...request }),
    (answer) => ({
      length: answer.data.length,
      sum: world.numberOf(answer.dataCrc32c) === crc32c(answer.data),
    }),
  )

/** @type {import('../world.mjs').Scenario[]} */
export const accessScenarios = [
  {
    name: 'access/unknown-token',
    run: async (world) =>
      observe(async () =>
        world.encrypt(await world.sharedKey(), secret, undefined, world.client('ya29.x')),
      ),
  },
  {
    name: 'access/no-token',
    run: async (world) =>
      observe(async () =>
        world.encrypt(await world.sharedKey(), secret, undefined, world.client('')),
      ),
  },
  {
    name: 'access/encrypt-only',
    run: async (world) => {
      const { encryptOnly } = world.target
      if (encryptOnly === undefined) return { notRun: 'all callers have the same rights' }
      const key = await world.sharedKey()
      const by = world.client(encryptOnly)
      const encrypt = await observe(() => world.encrypt(key, secret, undefined, by))
      const { ciphertext } = await world.encrypt(key, secret)
      return {
        encrypt,
        decrypt: await world.opens(key, ciphertext, 'secret', undefined, by),
        unknown: await observe(() => world.kms('getCryptoKey', { name: `${key}-none` }, by)),
      }
    },
  },
  {
    name: 'random/32-bytes-of-hsms',
    run: (world) => randomBytes(world, { lengthBytes: 32, protectionLevel: 'HSM' }),
  },
  {
    name: 'random/software',
    run: (world) => randomBytes(world, { lengthBytes: 32, protectionLevel: 'SOFTWARE' }),
  },
  {
    name: 'random/7-bytes',
    run: (world) => randomBytes(world, { lengthBytes: 7, protectionLevel: 'HSM' }),
  },
]
