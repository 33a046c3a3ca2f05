import { createHash, hkdfSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equalBytesConstantTime } from '../../../src/bytes/index.ts'
import { type DataKeyBinding, deriveDataKey, importXaesKey } from '../../../src/ciphers/index.ts'
import { SecretBytes } from '../../../src/kms/index.ts'
import { toHex, utf8 } from '../../vectors/hex.ts'
import { joinBytes, unsigned } from '../../vectors/raw-header.ts'

const DEK = Uint8Array.from({ length: 32 }, (_, i) => i)
const BINDING: DataKeyBinding = {
  salt: new Uint8Array(32).fill(9),
  createdAtMs: 1_767_225_600_000,
  flags: 1,
  context: utf8('ctx of the context'),
  stored: utf8('ctx of what is stored'),
}
const derive = (binding: DataKeyBinding, dek: Uint8Array = DEK): ReturnType<typeof deriveDataKey> =>
  deriveDataKey(SecretBytes.copy(dek), binding)
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

/** The text of section 2 of the wire format, over Node's own HKDF. */
function expectedOkm(binding: DataKeyBinding, dek: Uint8Array): Uint8Array<ArrayBuffer> {
  const info = joinBytes(
    utf8('edge-kms/v1/data-key'),
    new Uint8Array(1),
    unsigned(binding.createdAtMs, 8),
    sha256(binding.context),
    unsigned(binding.flags, 1),
    sha256(binding.stored),
  )
  return new Uint8Array(hkdfSync('sha512', dek, binding.salt, info, 96))
}

describe('data-key derivation', () => {
  it('W2.4: agrees with an independent HKDF for whatever it is bound to', async () => {
    const bytes = fc.uint8Array({ maxLength: 4_096 })
    const exact = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const createdAtMs = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
    const binding = fc.record({
      salt: exact,
      createdAtMs,
      flags: fc.constantFrom(0, 1),
      context: bytes,
      stored: bytes,
    })
    await fc.assert(
      fc.asyncProperty(binding, exact, async (anyBinding, dek) => {
        const value = anyBinding as DataKeyBinding
        const { commitment } = await derive(value, dek)
        expect(toHex(commitment)).toBe(toHex(expectedOkm(value, dek).subarray(64)))
      }),
      { numRuns: 100 },
    )
  })

  it('W2.4: every input changes the commitment', async () => {
    const other = new Uint8Array(32).fill(8)
    const commitments = await Promise.all(
      [
        BINDING,
        { ...BINDING, salt: other },
        { ...BINDING, createdAtMs: BINDING.createdAtMs + 1 },
        { ...BINDING, createdAtMs: BINDING.createdAtMs + 2 ** 32 },
        { ...BINDING, flags: 0 },
        { ...BINDING, context: BINDING.stored },
        { ...BINDING, stored: BINDING.context },
      ].map(async (binding) => toHex((await derive(binding)).commitment)),
    )
    commitments.push(toHex((await derive(BINDING, other)).commitment))
    expect(new Set(commitments).size).toBe(8)
  })

  it('W2.5: takes recordKey, streamKey and commitment from the output in this order', async () => {
    const okm = expectedOkm(BINDING, DEK)
    const keys = await derive(BINDING)
    const record = await importXaesKey(okm.slice(0, 32))
    expect(toHex(keys.recordKey.k1)).toBe(toHex(record.k1))
    const algorithm = { name: 'AES-CBC', iv: new Uint8Array(16) }
    const blocks = await Promise.all(
      [record, keys.recordKey].map(({ cipher }) =>
        crypto.subtle.encrypt(algorithm, cipher, utf8('text')),
      ),
    )
    expect(toHex(new Uint8Array(blocks[1]!))).toBe(toHex(new Uint8Array(blocks[0]!)))
    const hmac = { name: 'HMAC', hash: 'SHA-512' }
    const stream = await crypto.subtle.importKey('raw', okm.slice(32, 64), hmac, false, ['sign'])
    const signed = await Promise.all(
      [stream, keys.streamKey].map((key) => crypto.subtle.sign('HMAC', key, utf8('text'))),
    )
    expect(toHex(new Uint8Array(signed[1]!))).toBe(toHex(new Uint8Array(signed[0]!)))
    expect(toHex(keys.commitment)).toBe(toHex(okm.subarray(64)))
  })

  it('gives keys that cannot be exported, for one use each', async () => {
    const { recordKey, streamKey } = await derive(BINDING)
    expect([recordKey.cipher.extractable, streamKey.extractable]).toEqual([false, false])
    expect(recordKey.cipher.usages).toEqual(['encrypt'])
    expect(streamKey.usages).toEqual(['sign'])
  })

  it('takes the DEK at call time: the caller may dispose it at once', async () => {
    const dek = SecretBytes.copy(DEK)
    const pending = deriveDataKey(dek, BINDING)
    dek.dispose()
    const { commitment } = await pending
    expect(toHex(commitment)).toBe(toHex(expectedOkm(BINDING, DEK).subarray(64)))
  })

  it('W2.7: the comparison of commitments reads every byte, wherever they differ', () => {
    const counted = (bytes: Uint8Array, reads: Set<string>): Uint8Array =>
      new Proxy(bytes, {
        get: (target, key) => {
          if (typeof key === 'string' && /^\d+$/.test(key)) reads.add(key)
          return Reflect.get(target, key, target) as unknown
        },
      })
    for (const differs of [[], [0], [31], [0, 31]]) {
      const claimed = new Uint8Array(32)
      for (const at of differs) claimed[at] = 1
      const reads = new Set<string>()
      const equal = equalBytesConstantTime(new Uint8Array(32), counted(claimed, reads))
      expect(equal).toBe(differs.length === 0)
      expect(reads.size, differs.join()).toBe(32)
    }
    expect(equalBytesConstantTime(new Uint8Array(32), new Uint8Array(31))).toBe(false)
  })
})
