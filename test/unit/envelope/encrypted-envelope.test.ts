import { inspect } from 'node:util'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  type KmsErrorCode,
  type MessageKind,
} from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOf, toHex, utf8 } from '../../vectors/hex.ts'
import { type Bytes, localKms, NOW, OPTIONS, setUp, through } from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

const plaintext = utf8('4111 1111')
const KINDS = [
  'record',
  'stream',
  'record-by-reference',
  'stream-by-reference',
  'data-key-record',
] as const
const messages = new Map<MessageKind, Bytes>()
const of = (kind: MessageKind): Bytes => messages.get(kind)!
const parse = (kind: MessageKind): EncryptedEnvelope => EncryptedEnvelope.parse(of(kind))

beforeAll(async () => {
  const dataKeyStore = new MemoryDataKeyStore()
  const { cipher } = setUp({ kms: localKms(), dataKeyStore })
  for (const form of ['inline', 'reference'] as const) {
    const suffix = form === 'reference' ? '-by-reference' : ''
    const call = { ...OPTIONS, form }
    messages.set(`record${suffix}`, await cipher.encrypt(plaintext, call))
    messages.set(`stream${suffix}`, await through(cipher.encryptStream(call), plaintext))
  }
  messages.set('data-key-record', parse('record').toDataKeyRecord())
})

describe('what an envelope says about itself', () => {
  it.each(KINDS)('of a %s, offline', (kind) => {
    const envelope = parse(kind)
    expect(envelope).toMatchObject({ version: 1, kind })
    expect(envelope.dataKeyStoreKey).toMatch(/^ek1\/[A-Za-z0-9_-]{43}$/)
    expect(toHex(envelope.commitment)).toBe(toHex(parse('record').commitment))
    const inline = !kind.endsWith('reference')
    expect(envelope.createdAtMs).toBe(inline ? NOW : undefined)
    expect(envelope.storedContext).toEqual(inline ? OPTIONS.context : undefined)
    expect(
      envelope.wraps.map(({ provider, kekId, kekVersion }) => [provider, kekId, kekVersion]),
    ).toEqual(inline ? [['local', 'app', '1']] : [])
  })

  it.each(KINDS)('of the text form of a %s, the same', (kind) => {
    const text = `ek1.${Buffer.from(of(kind)).toString('base64url')}`
    expect(JSON.stringify(EncryptedEnvelope.parse(text))).toBe(JSON.stringify(parse(kind)))
  })

  it('asks nobody: no KMS, no crypto, no clock, no generator', () => {
    const spies = [
      ...(['decrypt', 'digest', 'importKey', 'sign', 'deriveBits'] as const).map((name) =>
        vi.spyOn(crypto.subtle, name),
      ),
      vi.spyOn(crypto, 'getRandomValues'),
      vi.spyOn(Date, 'now'),
    ]
    const kms = new CountingKms(localKms())
    const cipher = new EnvelopeCipher({ kms })
    for (const kind of KINDS) {
      expect(cipher.canOpen(parse(kind))).toBe(!kind.endsWith('reference'))
    }
    for (const spy of spies) {
      expect(spy).not.toHaveBeenCalled()
      spy.mockRestore()
    }
    expect(kms.calls).toEqual([])
  })

  it('canOpen is about this cipher: another KEK says no', () => {
    const stranger = setUp().cipher
    const envelope = parse('record')
    expect(envelope.wraps).toHaveLength(1)
    expect(stranger.canOpen(envelope)).toBe(false)
  })

  it.each(KINDS)('prints no ciphertext and no wrapped key, as JSON or inspected: %s', (kind) => {
    const envelope = parse(kind)
    const body = of(kind).subarray(envelope.headBytes)
    const secret = envelope.wraps.map(({ wrapped }) => wrapped)
    const json = JSON.stringify(envelope)
    for (const bytes of [body, ...secret].filter(({ length }) => length > 0)) {
      for (const form of ['hex', 'base64', 'base64url'] as const) {
        expect(json).not.toContain(Buffer.from(bytes.subarray(0, 12)).toString(form))
      }
    }
    // Private fields do not show: a debugger does not print the body either.
    const printed = inspect(envelope, { depth: 9, maxArrayLength: null, showHidden: true })
    const numbers = [...body.subarray(0, 12)].join(',')
    if (body.length > 0) expect(printed.replaceAll(/\s/g, '')).not.toContain(numbers)
    const inline = !kind.endsWith('reference')
    expect(JSON.parse(json)).toEqual({
      version: 1,
      kind,
      commitment: envelope.dataKeyStoreKey.slice(4),
      ...(inline && { createdAtMs: NOW, storedContext: OPTIONS.context }),
      wraps: inline ? [{ provider: 'local', kekId: 'app', kekVersion: '1', wrappedBytes: 72 }] : [],
      headBytes: envelope.headBytes,
    })
  })

  it('header fields outlive the buffer that they were read from', () => {
    const buffer = of('record').slice()
    const envelope = EncryptedEnvelope.parse(buffer)
    const before = JSON.stringify(envelope)
    const [wrap] = envelope.wraps
    const wrapped = toHex(wrap!.wrapped)
    buffer.fill(0xee)
    expect(JSON.stringify(envelope)).toBe(before)
    expect(toHex(wrap!.wrapped)).toBe(wrapped)
    expect(toHex(envelope.toDataKeyRecord())).toBe(toHex(of('data-key-record')))
  })
})

describe('the beginning of a message', () => {
  it.each(KINDS)('of a %s is enough with prefix: true, and is not without', (kind) => {
    const message = of(kind)
    const { headBytes } = parse(kind)
    for (let length = 0; length <= message.length; length++) {
      const part = message.slice(0, length)
      const whole = codeOf(() => EncryptedEnvelope.parse(part))
      const prefix = codeOf(() => EncryptedEnvelope.parse(part, { prefix: true }))
      expect(prefix).toBe(length < headBytes ? 'ERR_WIRE_MALFORMED' : undefined)
      // A stream that was cut has the code of a bad tag (W4.16): only its head must be there.
      const least = headBytes + (kind.startsWith('record') ? 40 : 0)
      expect(whole).toBe(length < least ? 'ERR_WIRE_MALFORMED' : undefined)
    }
  })

  it('W4.28: nothing may follow the header of a data-key record', () => {
    const longer = new Uint8Array([...of('data-key-record'), 0])
    expect(codeOf(() => EncryptedEnvelope.parse(longer))).toBe('ERR_WIRE_MALFORMED')
  })

  it('maxWraps: as many as are allowed, 1 to 16', () => {
    for (const maxWraps of [1, 16]) {
      expect(EncryptedEnvelope.parse(of('record'), { maxWraps }).wraps).toHaveLength(1)
    }
    for (const maxWraps of [0, 17, NaN]) {
      const code = codeOf(() => EncryptedEnvelope.parse(of('record'), { maxWraps }))
      expect(code, String(maxWraps)).toBe('ERR_KMS_CONFIG')
    }
  })
})

describe('conversions', () => {
  it.each(['record', 'stream'] as const)(
    'of a %s to a reference and back, without a key',
    (kind) => {
      const envelope = parse(kind)
      const reference = envelope.toReference()
      expect(EncryptedEnvelope.parse(reference).kind).toBe(`${kind}-by-reference`)
      const record = envelope.toDataKeyRecord()
      expect(toHex(EncryptedEnvelope.parse(reference).toInline(record))).toBe(toHex(of(kind)))
    },
  )

  it('of a reference to what a store keeps read the same', async () => {
    const store = new MemoryDataKeyStore()
    const envelope = parse('record')
    await store.putIfAbsent(envelope.dataKeyStoreKey, envelope.toDataKeyRecord())
    const reader = new EnvelopeCipher({ kms: localKms(), dataKeyStore: store })
    expect(await reader.decrypt(envelope.toReference(), OPTIONS)).toEqual(plaintext)
  })

  const REFUSED: KmsErrorCode = 'ERR_WIRE_KIND_REFUSED'

  it.each(['record-by-reference', 'stream-by-reference'] as const)(
    'of a %s that need a header are refused',
    (kind) => {
      expect(codeOf(() => parse(kind).toReference())).toBe(REFUSED)
      expect(codeOf(() => parse(kind).toDataKeyRecord())).toBe(REFUSED)
      expect(codeOf(() => parse(kind).toInline(of('record')))).toBe(REFUSED)
      expect(codeOf(() => parse(kind).toInline(of(kind)))).toBe(REFUSED)
      expect(codeOf(() => parse(kind).toInline(new Uint8Array(3)))).toBe('ERR_WIRE_MALFORMED')
    },
  )

  it.each(['record', 'stream', 'data-key-record'] as const)(
    'of a %s to inline are refused',
    (kind) => {
      expect(codeOf(() => parse(kind).toInline(of('data-key-record')))).toBe(REFUSED)
    },
  )

  it('of a data-key record to a message are refused, and to itself change nothing', () => {
    expect(codeOf(() => parse('data-key-record').toReference())).toBe(REFUSED)
    const again = parse('data-key-record').toDataKeyRecord()
    expect(toHex(again)).toBe(toHex(of('data-key-record')))
  })

  it('to inline with the record of another data key are refused', async () => {
    const other = new EnvelopeCipher({ kms: localKms() })
    const record = EncryptedEnvelope.parse(await other.encrypt(plaintext)).toDataKeyRecord()
    const code = codeOf(() => parse('record-by-reference').toInline(record))
    expect(code).toBe('ERR_WIRE_MALFORMED')
  })
})

it.each([undefined, null, 5, {}, [1], new ArrayBuffer(9)])(
  '%s is a mistake of the program',
  (wrong) => {
    expect(() => EncryptedEnvelope.parse(wrong as Uint8Array)).toThrow(TypeError)
  },
)

describe('a conversion', () => {
  it.each(KINDS)('of a %s whose beginning alone was parsed is refused: it would be cut', (kind) => {
    const prefix = EncryptedEnvelope.parse(of(kind), { prefix: true })
    expect(codeOf(() => prefix.toReference())).toMatch(/^ERR_WIRE_(MALFORMED|KIND_REFUSED)$/)
    expect(codeOf(() => prefix.toInline(of('data-key-record')))).toBe('ERR_WIRE_MALFORMED')
  })

  it('of a stream that is longer than what was parsed is refused', async () => {
    const { cipher } = setUp()
    const whole = await through(cipher.encryptStream(OPTIONS), new Uint8Array(200_000))
    const prefix = EncryptedEnvelope.parse(whole.subarray(0, 73_728), { prefix: true })
    expect(codeOf(() => prefix.toReference())).toBe('ERR_WIRE_MALFORMED')
    expect(prefix.toDataKeyRecord()).toEqual(EncryptedEnvelope.parse(whole).toDataKeyRecord())
  })

  it('does not change with the buffer that was parsed', () => {
    const buffer = of('record').slice()
    const expected = parse('record')
    const envelope = EncryptedEnvelope.parse(buffer)
    buffer.fill(7)
    expect(envelope.toReference()).toEqual(expected.toReference())
    expect(envelope.toDataKeyRecord()).toEqual(expected.toDataKeyRecord())
    expect(envelope.toJSON()).toEqual(expected.toJSON())
  })
})
