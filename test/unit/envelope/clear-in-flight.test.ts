// clear() is called to revoke at once: what began before it must not open anything after it.
import { expect, it } from 'vitest'
import { EnvelopeCipher, KmsError, type Outcome } from '../../../src/index.ts'
import { codeOfAsync } from '../../vectors/hex.ts'
import {
  type Bytes,
  FakeRuntime,
  OPTIONS,
  PlainKms,
  sequence,
  setUp,
  through,
} from '../wire/fixture.ts'

const EXHAUSTED = 'ERR_DATA_KEY_EXHAUSTED'
const turn = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve))

/** A KMS that opens nothing before `letGo`. */
function gated(): { readonly kms: PlainKms; readonly letGo: () => void } {
  const kms = new PlainKms()
  let letGo = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const unwrap = kms.unwrapDataKey.bind(kms)
  kms.unwrapDataKey = async (wraps, options) => {
    const opened = await unwrap(wraps, options)
    await gate
    return opened
  }
  return { kms, letGo }
}

const codesOf = (outcomes: readonly Outcome<Bytes>[]): readonly string[] =>
  outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.error.code))

it.each([
  ['record', 'record'],
  ['stream', 'stream'],
] as const)('a decryptStream of a %s that is open at clear() fails', async (_, kind) => {
  const { cipher } = setUp()
  const envelope =
    kind === 'record'
      ? await cipher.encrypt(sequence(900), OPTIONS)
      : await through(cipher.encryptStream(OPTIONS), sequence(900))
  const { readable, writable } = cipher.decryptStream({ ...OPTIONS, kinds: [kind] })
  const out = codeOfAsync(() => new Response(readable).bytes())
  const writer = writable.getWriter()
  writer.closed.catch(() => undefined)
  await writer.write(envelope.subarray(0, -1))
  await turn()
  cipher.clear()
  await writer.write(envelope.subarray(-1)).catch(() => undefined)
  await writer.close().catch(() => undefined)
  expect(await out).toBe(EXHAUSTED)
})

it('a decrypt whose KMS answers after clear() fails, and the next one asks again', async () => {
  const envelope = await setUp().cipher.encrypt(sequence(9), OPTIONS)
  const { kms, letGo } = gated()
  const cipher = new EnvelopeCipher({ kms, runtime: new FakeRuntime() })
  const one = codeOfAsync(() => cipher.decrypt(envelope, OPTIONS))
  const many = cipher.decryptMany([{ envelope, ...OPTIONS }])
  while (kms.calls.length < 2) await turn()
  cipher.clear()
  letGo()
  expect(await one).toBe(EXHAUSTED)
  expect(codesOf(await many)).toEqual([EXHAUSTED])
  expect(await cipher.decrypt(envelope, OPTIONS)).toEqual(sequence(9))
})

it('a decryptMany that is under way at clear() asks the KMS again for its later windows', async () => {
  const { cipher, kms } = setUp()
  const envelope = await cipher.encrypt(sequence(9), OPTIONS)
  const items = Array.from({ length: 3_000 }, () => ({ envelope, ...OPTIONS }))
  const work = cipher.decryptMany(items)
  await turn()
  cipher.clear()
  kms.onUnwrap = () => {
    throw new KmsError('ERR_KMS_ACCESS_DENIED')
  }
  const codes = codesOf(await work)
  expect(codes[0]).toBe('ok')
  expect(codes.at(-1)).toBe('ERR_KMS_ACCESS_DENIED')
})
