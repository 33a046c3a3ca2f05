// A long text is refused by its head and its length before it is decoded.
import { expect, it } from 'vitest'
import { EncryptedEnvelope } from '../../../src/index.ts'
import { codeOfAsync } from '../../vectors/hex.ts'
import { coldReader, OPTIONS, PlainKms, sequence, setUp } from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

const textOf = (message: Uint8Array): string => `ek1.${Buffer.from(message).toString('base64url')}`
const LONG = 20_000_000

/** Milliseconds of processor time in this process, which others on the machine do not change much. */
async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

it.each<[string, string, (head: string) => string]>([
  ['a record over the limit', 'ERR_WIRE_LIMIT_EXCEEDED', (head) => head],
  ['nothing of ours', 'ERR_WIRE_MALFORMED', () => 'ek1.'],
  ['another version', 'ERR_WIRE_VERSION_REFUSED', () => 'ek1.ZWtqAQ'],
  ['a kind that is not accepted', 'ERR_WIRE_KIND_REFUSED', () => 'ek1.ZWsBAg'],
  ['no text form', 'ERR_WIRE_MALFORMED', () => 'ek2.'],
])('decryptText of 20 million characters that are %s costs little', async (_, code, headOf) => {
  const kms = new CountingKms(new PlainKms())
  const message = await setUp({ kms }).cipher.encrypt(new Uint8Array(300), OPTIONS)
  kms.calls.length = 0
  const head = headOf(textOf(message.subarray(0, message.length - (message.length % 3))))
  const text = head.padEnd(LONG, 'A')
  const reader = coldReader(kms)
  const ms = await cpuMs(async () => {
    expect(await codeOfAsync(() => reader.decryptText(text, OPTIONS))).toBe(code)
  })
  expect(kms.calls).toEqual([])
  // Decoding it takes some seconds.
  expect(ms).toBeLessThan(500)
})

it('a text at the limit opens, and one byte more does not', async () => {
  const maxRecordBytes = 200_000
  const { cipher } = setUp({ maxRecordBytes })
  const fits = await cipher.encryptText('x'.repeat(maxRecordBytes), OPTIONS)
  expect(await cipher.decryptText(fits, OPTIONS)).toHaveLength(maxRecordBytes)
  const { cipher: large } = setUp()
  const over = await large.encryptText('x'.repeat(maxRecordBytes + 1), OPTIONS)
  const code = await codeOfAsync(() => cipher.decryptText(over, OPTIONS))
  expect(code).toBe('ERR_WIRE_LIMIT_EXCEEDED')
})

it('a long text is still refused where its end is not base64url', async () => {
  const { cipher } = setUp()
  const text = textOf(await cipher.encrypt(sequence(150_000), OPTIONS))
  for (const wrong of [`${text}=`, `${text.slice(0, -1)}!`, `${text.slice(0, -1)} `]) {
    expect(await codeOfAsync(() => cipher.decryptText(wrong, OPTIONS))).toMatch(
      /^ERR_(WIRE_MALFORMED|DECRYPT_FAILED)$/,
    )
  }
})

it('EncryptedEnvelope.parse with prefix decodes the beginning of a text only', async () => {
  const { cipher } = setUp()
  const text = textOf(await cipher.encrypt(sequence(9), OPTIONS)).padEnd(LONG, 'A')
  const ms = await cpuMs(async () => {
    expect(EncryptedEnvelope.parse(text, { prefix: true }).kind).toBe('record')
  })
  expect(ms).toBeLessThan(500)
})
