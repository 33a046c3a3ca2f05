import { expect, it } from 'vitest'
import type { EncryptOptions } from '../../../src/index.ts'
import { OPTIONS, sequence, setUp } from '../wire/fixture.ts'

const MISSPELT = [
  { contex: OPTIONS.context, aad: OPTIONS.aad },
  { context: OPTIONS.context, ad: OPTIONS.aad },
  { encryptionContext: OPTIONS.context },
  { AAD: OPTIONS.aad },
] as readonly object[] as readonly EncryptOptions[]

// Accepted, it would bind nothing, and the same mistake on the way back would decrypt.
it.each(MISSPELT)('a misspelt context or aad is refused: %j', async (options) => {
  const { cipher } = setUp()
  const refused = { code: 'ERR_KMS_CONFIG' }
  await expect(cipher.encrypt(sequence(9), options)).rejects.toMatchObject(refused)
  await expect(cipher.encryptText('text', options)).rejects.toMatchObject(refused)
  expect(() => cipher.encryptStream(options)).toThrow(expect.objectContaining(refused))
  const good = { plaintext: sequence(9), ...OPTIONS }
  const outcomes = await cipher.encryptMany([{ plaintext: sequence(9), ...options }, good])
  expect(outcomes).toMatchObject([{ ok: false, error: refused }, { ok: true }])
})

it('options of a decrypt may be given to an encrypt', async () => {
  const { cipher } = setUp()
  const kinds = ['record', 'stream'] as const
  const both = { aad: OPTIONS.aad, kinds, signal: undefined } as EncryptOptions
  const envelope = await cipher.encrypt(sequence(9), both)
  expect(await cipher.decrypt(envelope, both)).toEqual(sequence(9))
})
