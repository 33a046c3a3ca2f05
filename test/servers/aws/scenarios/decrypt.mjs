/** Decrypt: the key it is pinned to, damaged ciphertexts, and the context that must match. */
import { flip, observe, utf8 } from '../world.mjs'

const unknownId = '11111111-2222-4333-8444-555555555555'

/** Encrypts under the shared key and decrypts with what `change` makes of the parameters. */
const decryptWith = async (world, change) => {
  const key = await world.sharedKey()
  const blob = await world.encrypt(key, 'secret')
  return world.opens(blob, 'secret', { KeyId: key.KeyId, ...(await change({ blob, key })) })
}

/** Encrypts with one context and decrypts with another. */
const contexts = async (world, encryptWith, decryptWithContext) => {
  const key = await world.sharedKey()
  const blob = await world.encrypt(key, 'secret', encryptWith)
  const input = { KeyId: key.Arn, EncryptionContext: decryptWithContext }
  return world.opens(blob, 'secret', input)
}

/** @type {import('../world.mjs').Scenario[]} */
export const decryptScenarios = [
  {
    name: 'decrypt/by-every-name',
    run: async (world) => {
      const key = await world.createKey()
      const alias = await world.createAlias(key)
      const blob = await world.encrypt(key, 'secret')
      return {
        id: await world.opens(blob, 'secret', { KeyId: key.KeyId }),
        arn: await world.opens(blob, 'secret', { KeyId: key.Arn }),
        alias: await world.opens(blob, 'secret', { KeyId: alias }),
        none: await world.opens(blob, 'secret'),
      }
    },
  },
  {
    name: 'decrypt/answer',
    run: async (world) => {
      const key = await world.sharedKey()
      const blob = await world.encrypt(key, 'secret')
      return observe(
        () => world.kms('Decrypt', { CiphertextBlob: blob }),
        (answer) => ({
          arn: answer.KeyId === key.Arn,
          algorithm: answer.EncryptionAlgorithm,
          materialId: /^[a-f0-9]{64}$/.test(answer.KeyMaterialId ?? ''),
          requestId: answer.$metadata.requestId !== undefined,
        }),
      )
    },
  },
  {
    name: 'decrypt/wrong-key',
    run: (world) => decryptWith(world, async () => ({ KeyId: (await world.sharedKey('b')).Arn })),
  },
  {
    name: 'decrypt/alias-of-wrong-key',
    run: (world) =>
      decryptWith(world, async () => ({
        KeyId: await world.createAlias(await world.sharedKey('b')),
      })),
  },
  {
    name: 'decrypt/unknown-key',
    run: (world) => decryptWith(world, () => ({ KeyId: unknownId })),
  },
  {
    name: 'decrypt/flipped-last-byte',
    run: (world) => decryptWith(world, ({ blob }) => ({ CiphertextBlob: flip(blob, -1) })),
  },
  {
    // Each server has its own format for the first bytes of a blob.
    name: 'decrypt/flipped-inner-byte',
    run: (world) =>
      decryptWith(world, ({ blob }) => ({
        CiphertextBlob: flip(blob, Math.floor(blob.length * 0.75)),
      })),
  },
  {
    name: 'decrypt/truncated',
    run: (world) => decryptWith(world, ({ blob }) => ({ CiphertextBlob: blob.subarray(0, -1) })),
  },
  {
    name: 'decrypt/trailing-byte',
    run: (world) =>
      decryptWith(world, ({ blob }) => ({ CiphertextBlob: Uint8Array.of(...blob, 0) })),
  },
  {
    name: 'decrypt/junk',
    run: (world) => decryptWith(world, () => ({ CiphertextBlob: new Uint8Array(150).fill(7) })),
  },
  {
    name: 'decrypt/short-junk',
    run: (world) => decryptWith(world, () => ({ CiphertextBlob: utf8('x') })),
  },
  {
    name: 'decrypt/empty',
    run: (world) => decryptWith(world, () => ({ CiphertextBlob: new Uint8Array(0) })),
  },
  {
    name: 'decrypt/bytes-6145',
    run: (world) => decryptWith(world, () => ({ CiphertextBlob: new Uint8Array(6145).fill(7) })),
  },
  {
    name: 'context/same',
    run: (world) => contexts(world, { a: '1', b: '2' }, { a: '1', b: '2' }),
  },
  {
    name: 'context/other-order',
    run: (world) => contexts(world, { a: '1', b: '2' }, { b: '2', a: '1' }),
  },
  {
    name: 'context/beyond-ascii',
    run: (world) => contexts(world, { 'clé-鍵': 'Grüße 🔑' }, { 'clé-鍵': 'Grüße 🔑' }),
  },
  { name: 'context/wrong-value', run: (world) => contexts(world, { a: '1' }, { a: '2' }) },
  { name: 'context/other-case', run: (world) => contexts(world, { a: 'x' }, { A: 'x' }) },
  { name: 'context/missing', run: (world) => contexts(world, { a: '1' }, undefined) },
  { name: 'context/one-missing', run: (world) => contexts(world, { a: '1', b: '2' }, { a: '1' }) },
  { name: 'context/extra', run: (world) => contexts(world, { a: '1' }, { a: '1', b: '2' }) },
  { name: 'context/not-asked-for', run: (world) => contexts(world, undefined, { a: '1' }) },
  {
    name: 'context/concatenated-in-a-pair',
    run: (world) => contexts(world, { a: 'bc' }, { ab: 'c' }),
  },
  {
    name: 'context/concatenated-across-pairs',
    run: (world) => contexts(world, { a: 'b', c: 'd' }, { a: 'bcd' }),
  },
  {
    name: 'context/name-of-the-encryption-sdk',
    run: (world) =>
      contexts(
        world,
        { a: '1', 'aws-crypto-public-key': 'x' },
        { a: '1', 'aws-crypto-public-key': 'y' },
      ),
  },
]
