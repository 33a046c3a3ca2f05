import { describe, expect, it } from 'vitest'
import {
  checkBodyLength,
  dataKeyStoreKey,
  decodeTextForm,
  encodeHead,
  encodeTextForm,
  type MessageKind,
  parseHead,
  parseMessage,
  type ReadPolicy,
  referenceKindOf,
} from '../../../src/wire/index.ts'
import golden from '../../vectors/golden.json' with { type: 'json' }
import { codeOf, fromHex, toHex } from '../../vectors/hex.ts'
import { joinBytes, rawHeader, rawMessage } from '../../vectors/raw-header.ts'

const MALFORMED = 'ERR_WIRE_MALFORMED'
const ALL: readonly (readonly [MessageKind, number, string])[] = [
  ['record', 0x01, golden.storedContext.record],
  ['stream', 0x02, golden.storedContext.stream],
  ['record-by-reference', 0x11, golden.storedContext.recordByReference],
  ['stream-by-reference', 0x12, golden.storedContext.streamByReference],
  ['data-key-record', 0x20, golden.storedContext.dataKeyRecord],
]
const POLICY: ReadPolicy = {
  acceptVersions: [1],
  acceptKinds: ALL.map(([kind]) => kind),
  maxWraps: 5,
}
const refusal = (message: Uint8Array<ArrayBuffer>, policy = POLICY): string | undefined =>
  codeOf(() => parseMessage(message, policy))

describe('message head', () => {
  it('gives kind, commitment and body of every golden message', () => {
    for (const [kind, byte, hex] of ALL) {
      const message = fromHex(hex)
      expect(message[3]).toBe(byte)
      const head = parseMessage(message, POLICY)
      expect(head.kind).toBe(kind)
      expect(toHex(head.commitment)).toBe(golden.storedContext.commitment)
      expect(head.header === undefined).toBe(kind.endsWith('by-reference'))
      expect(head.bodyAt).toBe(kind.endsWith('by-reference') ? 36 : 4 + 347 + 18)
    }
  })

  it('asks for more bytes, and never for more than it needs', () => {
    for (const [, , hex] of ALL) {
      const message = fromHex(hex)
      const { bodyAt } = parseMessage(message, POLICY)
      for (let length = 0; length < bodyAt; length++) {
        const head = parseHead(message.slice(0, length), POLICY)
        expect('need' in head && head.need > length && head.need <= bodyAt).toBe(true)
      }
      expect(parseHead(message.slice(0, bodyAt), POLICY)).toMatchObject({ bodyAt })
    }
  })

  it('W4.1: refuses a message that does not begin with 65 6b', () => {
    for (const [, , hex] of ALL) {
      for (const at of [0, 1]) {
        for (let bit = 0; bit < 8; bit++) {
          const message = fromHex(hex)
          message[at]! ^= 1 << bit
          expect(refusal(message)).toBe(MALFORMED)
        }
      }
    }
    // Bytes that begin otherwise are never a message, with any version and kind.
    expect(refusal(fromHex('656c02ff'))).toBe(MALFORMED)
  })

  it('W4.2: refuses every version that is not accepted', () => {
    const message = fromHex(golden.storedContext.record)
    for (let version = 0; version < 256; version++) {
      if (version === 1) continue
      message[2] = version
      expect(refusal(message)).toBe('ERR_WIRE_VERSION_REFUSED')
    }
    message[2] = 1
    expect(refusal(message)).toBeUndefined()
    expect(refusal(message, { ...POLICY, acceptVersions: [] })).toBe('ERR_WIRE_VERSION_REFUSED')
    expect(refusal(message, { ...POLICY, acceptVersions: [2] })).toBe('ERR_WIRE_VERSION_REFUSED')
  })

  it('W4.2: does not read version 1 rules into another version, even an accepted one', () => {
    const message = fromHex(golden.storedContext.record)
    message[2] = 2
    expect(refusal(message, { ...POLICY, acceptVersions: [1, 2] })).toBe('ERR_WIRE_VERSION_REFUSED')
  })

  it('W4.3: refuses every kind that is not in the table', () => {
    const known = ALL.map(([, byte]) => byte)
    const message = fromHex(golden.storedContext.record)
    for (let kind = 0; kind < 256; kind++) {
      if (known.includes(kind)) continue
      message[3] = kind
      expect(refusal(message), String(kind)).toBe('ERR_WIRE_KIND_REFUSED')
    }
  })

  it('W4.4: refuses a kind that the call does not accept', () => {
    for (const [kind, , hex] of ALL) {
      const acceptKinds = POLICY.acceptKinds.filter((other) => other !== kind)
      expect(refusal(fromHex(hex), { ...POLICY, acceptKinds })).toBe('ERR_WIRE_KIND_REFUSED')
      expect(refusal(fromHex(hex), { ...POLICY, acceptKinds: [kind] })).toBeUndefined()
    }
  })

  it('W4.8: refuses a record body of fewer than 40 bytes', () => {
    const commitment = new Uint8Array(32)
    for (const [kind, ...parts] of [
      [0x01, rawHeader()],
      [0x11, commitment],
    ] as const) {
      expect(refusal(rawMessage(kind, ...parts, new Uint8Array(39)))).toBe(MALFORMED)
      expect(refusal(rawMessage(kind, ...parts))).toBe(MALFORMED)
      expect(refusal(rawMessage(kind, ...parts, new Uint8Array(40)))).toBeUndefined()
    }
    expect(
      codeOf(() => {
        checkBodyLength('record', 39)
      }),
    ).toBe(MALFORMED)
    expect(
      codeOf(() => {
        checkBodyLength('record', 40)
      }),
    ).toBeUndefined()
  })

  it('W4.28: refuses bytes after the key header of a data-key record', () => {
    const record = fromHex(golden.storedContext.dataKeyRecord)
    expect(refusal(record)).toBeUndefined()
    expect(refusal(joinBytes(record, new Uint8Array(1)))).toBe(MALFORMED)
    expect(refusal(joinBytes(record, new Uint8Array(40)))).toBe(MALFORMED)
  })

  it('writes the heads that it reads', () => {
    const keyHeader = fromHex(golden.storedContext.keyHeader)
    const commitment = fromHex(golden.storedContext.commitment)
    for (const [kind, , hex] of ALL) {
      const head = encodeHead(kind, kind.endsWith('by-reference') ? commitment : keyHeader)
      expect(hex.startsWith(toHex(head))).toBe(true)
    }
    expect(referenceKindOf('record')).toBe('record-by-reference')
    expect(referenceKindOf('stream')).toBe('stream-by-reference')
  })

  it('W4.27: names a data-key record by its commitment', () => {
    const key = dataKeyStoreKey(fromHex(golden.storedContext.commitment))
    expect(key).toBe(golden.storedContext.dataKeyStoreKey)
    expect(key).toHaveLength(47)
    expect(dataKeyStoreKey(new Uint8Array(32).fill(0xff))).toBe(`ek1/${'_'.repeat(42)}8`)
  })
})

describe('text form', () => {
  const text = golden.storedContext.recordByReferenceText
  const refused = (candidate: string): string | undefined => codeOf(() => decodeTextForm(candidate))

  it('W4.29: is ek1. and base64url of the same bytes', () => {
    expect(encodeTextForm(fromHex(golden.storedContext.recordByReference))).toBe(text)
    expect(toHex(decodeTextForm(text))).toBe(golden.storedContext.recordByReference)
    for (const [, , hex] of ALL) {
      expect(toHex(decodeTextForm(encodeTextForm(fromHex(hex))))).toBe(hex)
    }
  })

  it('W4.29: refuses every other beginning', () => {
    for (const prefix of [
      '',
      'ek1',
      'EK1.',
      'Ek1.',
      'ek2.',
      'ek1:',
      ' ek1.',
      '\ufeffek1.',
      'ek1.ek1.',
    ]) {
      expect(refused(prefix + text.slice(4)), prefix).toBe(MALFORMED)
    }
  })

  it('W4.30: refuses padding, white space and foreign characters', () => {
    for (const body of ['ZWsB', 'ZWs', 'ZQ']) expect(refused(`ek1.${body}`)).toBeUndefined()
    for (const body of [
      ...[
        'ZWs=',
        'ZQ==',
        'ZWsB=',
        'ZWsB====',
        'ZWs B',
        'ZWsB ',
        ' ZWsB',
        'ZWsB\n',
        'ZW\tsB',
        'ZWsB\r\n',
      ],
      ...[
        'ZW+B',
        'ZW+BZWsB',
        'ZW/BZWsB',
        'ZW B ZWsB',
        'ZW/B',
        'ZW.B',
        'ZW,B',
        'ZW\0B',
        'ZW\u00e4B',
        'ZW\u{1d400}',
        'ZW%3D',
      ],
    ]) {
      expect(refused(`ek1.${body}`), JSON.stringify(body)).toBe(MALFORMED)
    }
  })

  it('W4.31: refuses a length of 1 mod 4', () => {
    for (const body of ['Z', 'ZWsBZ', 'ZWsBZWsBA']) {
      expect(refused(`ek1.${body}`), body).toBe(MALFORMED)
    }
  })

  it('W4.31: refuses unused bits that are not zero', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const accepted = (body: string): string[] =>
      [...alphabet].filter((last) => refused(`ek1.${body}${last}`) === undefined)
    expect(accepted('Z')).toEqual(['A', 'Q', 'g', 'w'])
    expect(accepted('ZW')).toEqual([...'AEIMQUYcgkosw048'])
    expect(accepted('ZWs')).toHaveLength(64)
  })
})
