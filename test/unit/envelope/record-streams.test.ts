import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope } from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { coldReader, cut, drain, localKms, OPTIONS, sequence, setUp } from '../wire/fixture.ts'
import { CountingKms, flipped } from './fixture.ts'

const RECORDS = { ...OPTIONS, kinds: ['record', 'record-by-reference'] as const }

describe('a record that comes as a stream', () => {
  it.each(['inline', 'reference'] as const)(
    'W4.18: is released whole, after its tag: %s',
    async (form) => {
      const dataKeyStore = new MemoryDataKeyStore()
      const { cipher, kms } = setUp({ dataKeyStore })
      const plaintext = sequence(5_000)
      const message = await cipher.encrypt(plaintext, { ...OPTIONS, form })
      for (const sizes of [[1], [7, 200], [message.length]]) {
        const reader = coldReader(kms, { dataKeyStore })
        const { released, error } = await drain(reader.decryptStream(RECORDS), cut(message, sizes))
        expect(error).toBeUndefined()
        expect(Buffer.compare(released, plaintext)).toBe(0)
        const bad = await drain(reader.decryptStream(RECORDS), cut(flipped(message, -1), sizes))
        expect(bad.error).toMatchObject({ code: 'ERR_DECRYPT_FAILED' })
        expect(bad.released).toHaveLength(0)
      }
    },
  )

  it('W4.4: is refused unless kinds names it, without a KMS call', async () => {
    const kms = new CountingKms(localKms())
    const message = await setUp({ kms }).cipher.encrypt(sequence(9), OPTIONS)
    kms.calls.length = 0
    const { error } = await drain(coldReader(kms).decryptStream(OPTIONS), [message])
    expect(error).toMatchObject({ code: 'ERR_WIRE_KIND_REFUSED' })
    expect(kms.calls).toEqual([])
  })

  it('W4.8: of fewer than 40 bytes is malformed, as it is in memory', async () => {
    const { cipher } = setUp()
    const message = await cipher.encrypt(new Uint8Array(0), OPTIONS)
    const { headBytes } = EncryptedEnvelope.parse(message)
    for (let body = 0; body <= 40; body++) {
      const part = message.slice(0, headBytes + body)
      const { error } = await drain(cipher.decryptStream(RECORDS), [part])
      if (body === 40) expect(error).toBeUndefined()
      else expect(error).toMatchObject({ code: 'ERR_WIRE_MALFORMED' })
    }
  })

  it('is held to maxRecordBytes: what is longer is refused as it arrives, not at its end', async () => {
    const { cipher, kms } = setUp({ maxRecordBytes: 1_000 })
    const fits = await cipher.encrypt(sequence(1_000), OPTIONS)
    expect((await drain(cipher.decryptStream(RECORDS), [fits])).error).toBeUndefined()
    const large = await coldReader(kms).encrypt(sequence(100_000), OPTIONS)
    let sent = 0
    function* endless(): Generator<Uint8Array> {
      for (const piece of cut(large, [500])) {
        sent += piece.length
        yield piece
      }
    }
    const { released, error } = await drain(cipher.decryptStream(RECORDS), endless())
    expect(error).toMatchObject({ code: 'ERR_WIRE_LIMIT_EXCEEDED' })
    expect(released).toHaveLength(0)
    expect(sent).toBeLessThan(5_000)
  })

  it('does not keep the pieces of the caller: they may be used again', async () => {
    const { cipher } = setUp()
    const plaintext = sequence(3_000)
    const message = await cipher.encrypt(plaintext, OPTIONS)
    const transform = cipher.decryptStream(RECORDS)
    const writer = transform.writable.getWriter()
    const reading = (async () => {
      const parts: Uint8Array[] = []
      for await (const part of transform.readable) parts.push(part)
      return Buffer.concat(parts)
    })()
    const buffer = new Uint8Array(100)
    for (let at = 0; at < message.length; at += buffer.length) {
      const part = message.subarray(at, at + buffer.length)
      buffer.set(part)
      await writer.write(buffer.subarray(0, part.length))
      buffer.fill(0xee)
    }
    await writer.close()
    expect(Buffer.compare(await reading, plaintext)).toBe(0)
  })
})
