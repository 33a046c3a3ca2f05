import { expect, it } from 'vitest'
import { OPTIONS, sequence, setUp } from '../wire/fixture.ts'

it.each<object>([{ context: OPTIONS.context }, { aad: OPTIONS.aad }, { contex: {} }])(
  'what belongs to an item is refused as an option of the batch, where it would bind nothing: %j',
  async (options) => {
    const { cipher, kms } = setUp()
    const refused = { code: 'ERR_KMS_CONFIG' }
    const plaintext = sequence(9)
    await expect(cipher.encryptMany([{ plaintext }], options)).rejects.toMatchObject(refused)
    const envelope = sequence(40)
    await expect(cipher.decryptMany([{ envelope }], options)).rejects.toMatchObject(refused)
    expect(kms.calls).toEqual([])
  },
)

it('an item that is not a plain object is refused by name, and the others are not hurt', async () => {
  const { cipher } = setUp()
  const envelope = await cipher.encrypt(sequence(9), OPTIONS)
  const good = { envelope, ...OPTIONS }
  const items = new Array<typeof good>(5) // the second one stays a hole
  for (const [at, item] of [null, undefined, good, 7, good].entries()) {
    if (at !== 1) items[at] = item as typeof good
  }
  const outcomes = await cipher.decryptMany(items)
  const codes = outcomes.map((one) => (one.ok ? 'ok' : `${one.error.code} ${one.error.message}`))
  const bad = 'ERR_KMS_CONFIG item must be a plain object, got'
  expect(codes).toEqual([`${bad} null`, `${bad} undefined`, 'ok', `${bad} a number`, 'ok'])
})

it('an item whose members throw fails alone', async () => {
  const { cipher } = setUp()
  const envelope = await cipher.encrypt(sequence(9), OPTIONS)
  const throwing = {
    get envelope(): Uint8Array {
      throw new Error('a getter')
    },
  }
  const outcomes = await cipher.decryptMany([{ envelope, ...OPTIONS }, throwing])
  expect(outcomes.map(({ ok }) => ok)).toEqual([true, false])
})

it('encryptMany refuses a hole as it refuses undefined, before any work', async () => {
  const { cipher, kms } = setUp()
  for (const items of [new Array<never>(1), [undefined as never]])
    await expect(cipher.encryptMany(items)).rejects.toThrow(TypeError)
  expect(kms.calls).toEqual([])
})

it('decryptStored refuses a context: it would not be compared with the one of the envelope', async () => {
  const { cipher } = setUp()
  const envelope = await cipher.encrypt(sequence(9), OPTIONS)
  const options = { aad: OPTIONS.aad, context: { tenant: 'evil' } } as { readonly aad: object }
  const refused = { code: 'ERR_KMS_CONFIG' }
  await expect(cipher.decryptStored(envelope, options as never)).rejects.toMatchObject(refused)
})

it('rewrap refuses a misspelt verify: it would prove less, or ask for more, than was meant', async () => {
  const { cipher } = setUp()
  const envelope = await cipher.encrypt(sequence(9), OPTIONS)
  const options = { context: OPTIONS.context, verfy: 'kms' }
  await expect(cipher.rewrap(envelope, options)).rejects.toMatchObject({ code: 'ERR_KMS_CONFIG' })
})
