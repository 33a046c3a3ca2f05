/** Key states, dry runs, and keys made for another use. */
import { observe, utf8 } from '../world.mjs'

/** Observes every use of a key in its present state. */
const uses = async (world, key, blob) => ({
  encrypt: await observe(() => world.kms('Encrypt', { KeyId: key.Arn, Plaintext: utf8('x') })),
  generate: await observe(() =>
    world.kms('GenerateDataKey', { KeyId: key.Arn, KeySpec: 'AES_256' }),
  ),
  decrypt: await world.opens(blob, 'secret', { KeyId: key.Arn }),
  decryptUnpinned: await world.opens(blob, 'secret'),
  reEncryptFrom: await observe(async () =>
    world.kms('ReEncrypt', {
      CiphertextBlob: blob,
      SourceKeyId: key.Arn,
      DestinationKeyId: (await world.sharedKey('b')).Arn,
    }),
  ),
  reEncryptTo: await observe(async () => {
    const b = await world.sharedKey('b')
    return world.kms('ReEncrypt', {
      CiphertextBlob: await world.encrypt(b, 'secret'),
      SourceKeyId: b.Arn,
      DestinationKeyId: key.Arn,
    })
  }),
  rotate: await observe(() => world.kms('RotateKeyOnDemand', { KeyId: key.Arn })),
})

const stateOf = (world, key) =>
  observe(
    () => world.kms('DescribeKey', { KeyId: key.Arn }),
    ({ KeyMetadata }) => KeyMetadata.KeyState,
  )

const dryRun = async (world, operation, input, client) => {
  const parameters = await input(await world.sharedKey())
  return observe(() => world.kms(operation, { ...parameters, DryRun: true }, client))
}

const rsa = (world) => world.sharedKey('rsa', { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })

/** @type {import('../world.mjs').Scenario[]} */
export const stateScenarios = [
  {
    name: 'states/disabled',
    run: async (world) => {
      const key = await world.createKey()
      const blob = await world.encrypt(key, 'secret')
      await world.kms('DisableKey', { KeyId: key.KeyId })
      const disabled = { state: await stateOf(world, key), ...(await uses(world, key, blob)) }
      await world.kms('EnableKey', { KeyId: key.KeyId })
      return { ...disabled, enabledAgain: await world.opens(blob, 'secret', { KeyId: key.Arn }) }
    },
  },
  {
    name: 'states/pending-deletion',
    run: async (world) => {
      const key = await world.createKey()
      const blob = await world.encrypt(key, 'secret')
      await world.kms('ScheduleKeyDeletion', { KeyId: key.KeyId, PendingWindowInDays: 7 })
      const pending = { state: await stateOf(world, key), ...(await uses(world, key, blob)) }
      await world.kms('CancelKeyDeletion', { KeyId: key.KeyId })
      return { ...pending, cancelled: await stateOf(world, key) }
    },
  },
  {
    name: 'states/pending-import',
    run: async (world) => {
      const key = await world.createKey({ Origin: 'EXTERNAL' })
      return {
        state: await stateOf(world, key),
        encrypt: await observe(() =>
          world.kms('Encrypt', { KeyId: key.Arn, Plaintext: utf8('x') }),
        ),
      }
    },
  },
  {
    name: 'dry-run/encrypt',
    run: (world) => dryRun(world, 'Encrypt', (key) => ({ KeyId: key.Arn, Plaintext: utf8('x') })),
  },
  {
    name: 'dry-run/generate',
    run: (world) =>
      dryRun(world, 'GenerateDataKey', (key) => ({ KeyId: key.Arn, KeySpec: 'AES_256' })),
  },
  {
    name: 'dry-run/decrypt',
    run: (world) =>
      dryRun(world, 'Decrypt', async (key) => ({
        KeyId: key.Arn,
        CiphertextBlob: await world.encrypt(key, 'secret'),
      })),
  },
  {
    name: 'dry-run/re-encrypt',
    run: (world) =>
      dryRun(world, 'ReEncrypt', async (key) => ({
        SourceKeyId: key.Arn,
        DestinationKeyId: key.Arn,
        CiphertextBlob: await world.encrypt(key, 'secret'),
      })),
  },
  {
    name: 'dry-run/disabled-key',
    run: async (world) => {
      const key = await world.createKey()
      await world.kms('DisableKey', { KeyId: key.KeyId })
      return dryRun(world, 'Encrypt', () => ({ KeyId: key.Arn, Plaintext: utf8('x') }))
    },
  },
  {
    name: 'dry-run/unknown-key',
    run: (world) =>
      dryRun(world, 'Encrypt', () => ({
        KeyId: '11111111-2222-4333-8444-555555555555',
        Plaintext: utf8('x'),
      })),
  },
  {
    name: 'dry-run/not-permitted',
    run: async (world) => {
      const client = world.kmsClient({ credentials: world.target.encryptOnly })
      const input = async (key) => ({
        KeyId: key.Arn,
        CiphertextBlob: await world.encrypt(key, 'secret'),
      })
      return dryRun(world, 'Decrypt', input, client)
    },
  },
  {
    name: 'usage/data-key-under-rsa',
    run: async (world) => {
      const key = await rsa(world)
      return observe(() => world.kms('GenerateDataKey', { KeyId: key.Arn, KeySpec: 'AES_256' }))
    },
  },
  {
    name: 'usage/symmetric-algorithm-under-rsa',
    run: async (world) => {
      const key = await rsa(world)
      return observe(() => world.kms('Encrypt', { KeyId: key.Arn, Plaintext: utf8('x') }))
    },
  },
  {
    name: 'usage/encrypt-under-signing-key',
    run: async (world) => {
      const key = await world.createKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
      return observe(() => world.kms('Encrypt', { KeyId: key.Arn, Plaintext: utf8('x') }))
    },
  },
  {
    name: 'usage/encrypt-under-hmac-key',
    run: async (world) => {
      const key = await world.createKey({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
      return observe(() => world.kms('Encrypt', { KeyId: key.Arn, Plaintext: utf8('x') }))
    },
  },
  {
    name: 'usage/decrypt-under-hmac-key',
    run: async (world) => {
      const mac = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }
      const key = await world.createKey(mac)
      const blob = await world.encrypt(await world.sharedKey(), 'secret')
      return world.opens(blob, 'secret', { KeyId: key.Arn })
    },
  },
]
