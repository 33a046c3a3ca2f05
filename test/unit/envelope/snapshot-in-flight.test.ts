import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { toHex, utf8 } from '../../vectors/hex.ts'
import { coldReader, FakeRuntime, OPTIONS, PlainKms } from '../wire/fixture.ts'

const plaintext = utf8('4111 1111')
const keyOf = (message: Uint8Array): string => toHex(EncryptedEnvelope.parse(message).commitment)

/** A KMS whose answers wait until they are let go. */
function slowKms(): {
  kms: PlainKms
  asked: (work: Promise<unknown>) => Promise<void>
  letGo: () => void
} {
  const kms = new PlainKms()
  const answers: (() => void)[] = []
  const wait = (): Promise<void> => new Promise((resolve) => answers.push(resolve))
  const generate = kms.generateDataKey.bind(kms)
  const unwrap = kms.unwrapDataKey.bind(kms)
  kms.generateDataKey = async (options) => {
    await wait()
    return generate(options)
  }
  kms.unwrapDataKey = async (wraps, options) => {
    await wait()
    return unwrap(wraps, options)
  }
  const letGo = (): void => {
    for (const answer of answers.splice(0)) answer()
  }
  /** Waits until the KMS is asked, or the work is done without it. */
  const asked = async (work: Promise<unknown>): Promise<void> => {
    let done = false
    const end = (): void => {
      done = true
    }
    work.then(end, end)
    while (answers.length === 0 && !done) await new Promise((resolve) => setImmediate(resolve))
  }
  return { kms, asked, letGo }
}

describe('R13 a KMS call that is in flight when clear() is called', () => {
  it('R13 a data key whose making began before clear() is not used after it', async () => {
    const { kms, asked, letGo } = slowKms()
    const cipher = new EnvelopeCipher({ kms, runtime: new FakeRuntime() })
    const begun = cipher.encrypt(plaintext, OPTIONS)
    await asked(begun)
    cipher.clear()
    letGo()
    // The key of before is dropped, and the call that began it asks again.
    await asked(begun)
    letGo()
    const after = keyOf(await begun)
    expect(kms.calls).toEqual(['generate', 'generate'])
    expect(keyOf(await cipher.encrypt(plaintext, OPTIONS))).toBe(after)
  })

  it('R13 a data key whose unwrap began before clear() is not held after it', async () => {
    const envelope = await coldReader(new PlainKms()).encrypt(plaintext, OPTIONS)
    const { kms, asked, letGo } = slowKms()
    const reader = coldReader(kms)
    const begun = reader.decrypt(envelope, OPTIONS)
    await asked(begun)
    reader.clear()
    letGo()
    await expect(begun).rejects.toMatchObject({ code: 'ERR_DATA_KEY_EXHAUSTED' })
    const later = reader.decrypt(envelope, OPTIONS)
    await asked(later)
    letGo()
    await later
    expect(kms.calls).toEqual(['unwrap', 'unwrap'])
  })
})
