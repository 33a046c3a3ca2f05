import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { toHex, utf8 } from '../../vectors/hex.ts'
import { coldReader, FakeRuntime, localKms, OPTIONS, PlainKms, through } from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

const plaintext = utf8('4111 1111')

/** Salt, commitment, and nonce or stream salt: all that must be new after a restore. */
function fresh(message: Uint8Array): string[] {
  const { kind, commitment, headBytes } = EncryptedEnvelope.parse(message)
  const body = message.subarray(headBytes, headBytes + (kind === 'record' ? 12 : 24))
  return [message.subarray(4, 36), commitment, body].map(toHex)
}

async function write(cipher: EnvelopeCipher): Promise<string[]> {
  const record = await cipher.encrypt(plaintext, OPTIONS)
  const stream = await through(cipher.encryptStream(OPTIONS), plaintext)
  return [record, stream].flatMap(fresh)
}

describe('R13 after a restore from a snapshot', () => {
  it('R13 clear() leaves no salt, nonce or data key from before in use', async () => {
    const kms = new CountingKms(localKms())
    const runtime = new FakeRuntime()
    const cipher = new EnvelopeCipher({ kms, runtime })
    const before = await write(cipher)
    expect(kms.calls).toEqual(['generate'])
    const drawnBefore = runtime.drawn.length
    cipher.clear()
    const after = await write(cipher)
    expect(kms.calls).toEqual(['generate', 'generate'])
    expect(after.filter((one) => before.includes(one))).toEqual([])
    // The random bytes in the envelope were drawn after clear(): nothing was kept ready.
    const drawn = runtime.drawn.slice(drawnBefore).map(toHex)
    const [salt, , nonce, , , streamSalt] = after
    for (const one of [salt, nonce, streamSalt]) expect(drawn).toContain(one)
  })

  it('R13 two restores of one warmed state share nothing', async () => {
    // Each is warmed alike, as the memory image would hold it, and draws on its own from then on.
    const warm = async (): Promise<[EnvelopeCipher, FakeRuntime]> => {
      const runtime = new FakeRuntime()
      const cipher = new EnvelopeCipher({ kms: new PlainKms(), runtime })
      await write(cipher)
      return [cipher, runtime]
    }
    const clones = [await warm(), await warm()] as const
    const seen: string[][] = []
    for (const [number, [cipher, runtime]] of clones.entries()) {
      cipher.clear()
      const draw = runtime.randomFill.bind(runtime)
      runtime.randomFill = (bytes) => {
        draw(bytes)
        bytes[bytes.length - 1] = number + 1
        return bytes
      }
      seen.push(await write(cipher))
    }
    expect(seen[0]?.filter((one) => seen[1]?.includes(one))).toEqual([])
  })

  it('R13 clear() drops what was read too: the KMS is asked again', async () => {
    const kms = new CountingKms(localKms())
    const envelope = await coldReader(kms).encrypt(plaintext, OPTIONS)
    const reader = coldReader(kms)
    for (let i = 0; i < 2; i++) await reader.decrypt(envelope, OPTIONS)
    expect(kms.count('unwrap')).toBe(1)
    reader.clear()
    expect(await reader.decrypt(envelope, OPTIONS)).toEqual(plaintext)
    expect(kms.count('unwrap')).toBe(2)
  })

  it('R13 making a cipher and a stream draws nothing and calls nothing', () => {
    const kms = new CountingKms(new PlainKms())
    const runtime = new FakeRuntime()
    const cipher = new EnvelopeCipher({ kms, runtime })
    cipher.encryptStream(OPTIONS)
    cipher.decryptStream(OPTIONS)
    expect(runtime.drawn).toEqual([])
    expect(kms.calls).toEqual([])
  })
})
