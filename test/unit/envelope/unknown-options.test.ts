// An option that is accepted and ignored is a silent default: here it would bind less than was meant.
import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, type EnvelopeCipher } from '../../../src/index.ts'
import { codeOfAsync } from '../../vectors/hex.ts'
import { type Bytes, drain, OPTIONS, sequence, setUp, through } from '../wire/fixture.ts'

interface World {
  readonly cipher: EnvelopeCipher
  readonly record: Bytes
  readonly stream: Bytes
}

async function world(): Promise<World & { readonly calls: string[] }> {
  const { cipher, kms } = setUp()
  const record = await cipher.encrypt(sequence(9), OPTIONS)
  const stream = await through(cipher.encryptStream(OPTIONS), sequence(9))
  kms.calls.length = 0
  return { cipher, record, stream, calls: kms.calls }
}

/** Every method that takes options; each gets maps and the option in question. */
const METHODS: Readonly<Record<string, (w: World, extra: object) => Promise<unknown>>> = {
  encrypt: ({ cipher }, x) => cipher.encrypt(sequence(9), { ...OPTIONS, ...x }),
  encryptText: ({ cipher }, x) => cipher.encryptText('text', { ...OPTIONS, ...x }),
  encryptMany: ({ cipher }, x) => cipher.encryptMany([], x),
  'encryptMany, an item': async ({ cipher }, x) =>
    thrown(await cipher.encryptMany([{ plaintext: sequence(9), ...OPTIONS, ...x }])),
  encryptStream: async ({ cipher }, x) => cipher.encryptStream({ ...OPTIONS, ...x }),
  startStream: ({ cipher }, x) => cipher.startStream({ ...OPTIONS, ...x }),
  decrypt: ({ cipher, record }, x) => cipher.decrypt(record, { ...OPTIONS, ...x }),
  decryptText: ({ cipher, record }, x) =>
    cipher.decryptText(`ek1.${Buffer.from(record).toString('base64url')}`, { ...OPTIONS, ...x }),
  decryptMany: ({ cipher }, x) => cipher.decryptMany([], x),
  'decryptMany, an item': async ({ cipher, record }, x) =>
    thrown(await cipher.decryptMany([{ envelope: record, ...OPTIONS, ...x }])),
  decryptStream: async ({ cipher }, x) => cipher.decryptStream({ ...OPTIONS, ...x }),
  decryptRange: ({ cipher, stream }, x) =>
    cipher.decryptRange(readOf(stream), { start: 0 }, { ...OPTIONS, ...x }),
  'decryptRange, its range': ({ cipher, stream }, x) =>
    cipher.decryptRange(readOf(stream), { start: 0, ...x }, OPTIONS),
  decryptStored: ({ cipher, record }, x) =>
    cipher.decryptStored(record, { aad: OPTIONS.aad, ...x }),
  rewrap: ({ cipher, record }, x) => cipher.rewrap(record, { ...OPTIONS, ...x }),
  rewrapStream: async ({ cipher }, x) => cipher.rewrapStream({ ...OPTIONS, ...x }),
  'EncryptedEnvelope.parse': async ({ record }, x) => EncryptedEnvelope.parse(record, x),
}

const readOf =
  (message: Bytes) =>
  async (start: number, end: number): Promise<Uint8Array> =>
    message.slice(start, end)

function thrown(outcomes: Awaited<ReturnType<EnvelopeCipher['encryptMany']>>): void {
  for (const outcome of outcomes) if (!outcome.ok) throw outcome.error
}

describe.each(Object.entries(METHODS))('%s', (_, method) => {
  it.each([{ sigal: 1 }, { from: 'reference' }, { contxt: {} }, { encryptionContext: {} }])(
    'refuses the unknown option %j, also beside context and aad, and asks nobody',
    async (extra) => {
      const w = await world()
      expect(await codeOfAsync(() => method(w, extra))).toBe('ERR_KMS_CONFIG')
      expect(w.calls).toEqual([])
    },
  )

  it('says its name', async () => {
    const error: unknown = await method(await world(), { sigal: 1 }).catch((e: unknown) => e)
    expect((error as Error).message).toBe('unknown option: sigal')
  })

  it('takes what it knows, and undefined for what is not given', async () => {
    expect(
      await codeOfAsync(async () => method(await world(), { sigal: undefined })),
    ).toBeUndefined()
  })
})

it.each(['encrypt', 'decrypt', 'rewrap', 'decryptStored'] as const)(
  '%s refuses options that are not an object',
  async (name) => {
    const { cipher, record } = await world()
    for (const wrong of [null, 5, 'text', true]) {
      const call = (): Promise<unknown> => cipher[name](record, wrong as never)
      expect(await codeOfAsync(call), String(wrong)).toBe('ERR_KMS_CONFIG')
    }
  },
)

it('an item with a signal or kinds of its own is refused: the batch has them', async () => {
  const { cipher, record } = await world()
  const { signal } = new AbortController()
  const refused = [{ ok: false, error: { code: 'ERR_KMS_CONFIG' } }]
  const sealing = { plaintext: sequence(9), ...OPTIONS, signal }
  expect(await cipher.encryptMany([sealing])).toMatchObject(refused)
  const opening = { envelope: record, ...OPTIONS, kinds: ['record'] }
  expect(await cipher.decryptMany([opening])).toMatchObject(refused)
})

it('the options of one call may be shared by encrypt and decrypt', async () => {
  const { cipher } = setUp()
  const shared = { ...OPTIONS, form: 'inline', kinds: ['record', 'stream'] } as const
  const envelope = await cipher.encrypt(sequence(9), shared)
  expect(await cipher.decrypt(envelope, shared)).toEqual(sequence(9))
  const stream = await through(cipher.encryptStream(shared), sequence(9))
  const { released } = await drain(cipher.decryptStream(shared), [stream])
  expect(released).toEqual(sequence(9))
})
