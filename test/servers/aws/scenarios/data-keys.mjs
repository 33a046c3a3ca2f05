/** GenerateDataKey, Encrypt: what they answer, and the sizes they take. */
import { observe, sameBytes, utf8 } from '../world.mjs'

const materialId = /^[a-f0-9]{64}$/

const generate = async (world, input, facts) => {
  const key = await world.sharedKey()
  return observe(
    () => world.kms('GenerateDataKey', { KeyId: key.KeyId, ...input }),
    facts ?? ((answer) => answer.Plaintext.length),
  )
}

const encryptBytes = async (world, bytes) => {
  const key = await world.sharedKey()
  return observe(() => world.kms('Encrypt', { KeyId: key.KeyId, Plaintext: bytes }))
}

/** @type {import('../world.mjs').Scenario[]} */
export const dataKeyScenarios = [
  {
    name: 'data-keys/generate',
    run: async (world) => {
      const key = await world.sharedKey()
      const context = { tenant: 'acme' }
      const made = await world.kms('GenerateDataKey', {
        KeyId: key.KeyId,
        KeySpec: 'AES_256',
        EncryptionContext: context,
      })
      return {
        bytes: made.Plaintext.length,
        arn: made.KeyId === key.Arn,
        opens: await observe(
          () =>
            world.kms('Decrypt', {
              CiphertextBlob: made.CiphertextBlob,
              KeyId: key.Arn,
              EncryptionContext: context,
            }),
          (answer) => sameBytes(answer.Plaintext, made.Plaintext),
        ),
      }
    },
  },
  {
    name: 'data-keys/fresh-each-time',
    run: async (world) => {
      const key = await world.sharedKey()
      const input = { KeyId: key.KeyId, KeySpec: 'AES_256' }
      const [a, b] = [
        await world.kms('GenerateDataKey', input),
        await world.kms('GenerateDataKey', input),
      ]
      return !sameBytes(a.Plaintext, b.Plaintext) && !sameBytes(a.CiphertextBlob, b.CiphertextBlob)
    },
  },
  {
    name: 'data-keys/without-plaintext',
    run: async (world) => {
      const key = await world.sharedKey()
      const made = await world.kms('GenerateDataKeyWithoutPlaintext', {
        KeyId: key.KeyId,
        KeySpec: 'AES_256',
      })
      return {
        plaintext: made.Plaintext === undefined ? 'absent' : 'present',
        arn: made.KeyId === key.Arn,
        opens: await observe(
          () => world.kms('Decrypt', { CiphertextBlob: made.CiphertextBlob, KeyId: key.Arn }),
          (answer) => answer.Plaintext.length,
        ),
      }
    },
  },
  { name: 'data-keys/aes-128', run: (world) => generate(world, { KeySpec: 'AES_128' }) },
  { name: 'data-keys/bytes-64', run: (world) => generate(world, { NumberOfBytes: 64 }) },
  { name: 'data-keys/bytes-1024', run: (world) => generate(world, { NumberOfBytes: 1024 }) },
  { name: 'data-keys/bytes-0', run: (world) => generate(world, { NumberOfBytes: 0 }) },
  { name: 'data-keys/bytes-1025', run: (world) => generate(world, { NumberOfBytes: 1025 }) },
  { name: 'data-keys/no-length', run: (world) => generate(world, {}) },
  {
    name: 'data-keys/two-lengths',
    run: (world) => generate(world, { KeySpec: 'AES_256', NumberOfBytes: 32 }),
  },
  {
    name: 'data-keys/material-id',
    run: (world) =>
      generate(world, { KeySpec: 'AES_256' }, (answer) =>
        materialId.test(answer.KeyMaterialId ?? ''),
      ),
  },
  {
    name: 'encrypt/by-every-name',
    run: async (world) => {
      const key = await world.createKey()
      const alias = await world.createAlias(key)
      const by = (id) =>
        observe(
          () => world.kms('Encrypt', { KeyId: id, Plaintext: utf8('secret') }),
          (answer) => ({
            arn: answer.KeyId === key.Arn,
            algorithm: answer.EncryptionAlgorithm,
          }),
        )
      return {
        id: await by(key.KeyId),
        arn: await by(key.Arn),
        alias: await by(alias),
        aliasArn: await by(key.Arn.replace(/key\/.*/, alias)),
      }
    },
  },
  {
    name: 'encrypt/fresh-each-time',
    run: async (world) => {
      const key = await world.sharedKey()
      const [a, b] = [await world.encrypt(key, 'same'), await world.encrypt(key, 'same')]
      return !sameBytes(a, b)
    },
  },
  { name: 'encrypt/empty', run: (world) => encryptBytes(world, new Uint8Array(0)) },
  { name: 'encrypt/bytes-4096', run: (world) => encryptBytes(world, new Uint8Array(4096)) },
  { name: 'encrypt/bytes-4097', run: (world) => encryptBytes(world, new Uint8Array(4097)) },
]
