import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  CHUNKED,
  chunkNonce,
  deriveChunkedKeys,
  deriveDataKey,
  deriveSubkey,
  importLocalKek,
  openChunk,
  openChunked,
  openRecord,
  recordAad,
  sealChunk,
  sealRecord,
  streamContext,
  unwrapLocally,
  wrapLocally,
  XAES,
  type XaesKey,
} from '../../src/ciphers/index.ts'
import {
  CONTEXT_LIMITS,
  type EncryptionContext,
  encodeContext,
  encodeKmsContext,
  kmsContext,
  SecretBytes,
} from '../../src/kms/index.ts'
import {
  dataKeyStoreKey,
  encodeHead,
  encodeKeyHeader,
  encodeTextForm,
  storedPart,
} from '../../src/wire/index.ts'
import golden from './golden.json' with { type: 'json' }
import { fromHex, toHex, utf8 } from './hex.ts'
import { joinBytes } from './raw-header.ts'

const { inputs } = golden
const salt = fromHex(inputs.salt)
const nonce = fromHex(inputs.recordNonce)
const plaintext = utf8(inputs.plaintext)
const streamSalt = fromHex(inputs.streamSalt)
const AAD: EncryptionContext = inputs.aad
const WRAP = {
  provider: 'aws-kms',
  kekId: inputs.kekId,
  kekVersion: '',
  wrapped: new Uint8Array(184).fill(0xa5),
}

const CASES = [
  { name: 'stored context', values: golden.storedContext, stored: inputs.context },
  { name: 'context not stored', values: golden.contextNotStored, stored: {} },
] as const

const derive = (
  stored: EncryptionContext,
  dataKeySalt = salt,
): ReturnType<typeof deriveDataKey> => {
  const part = storedPart(stored)
  return deriveDataKey(SecretBytes.copy(fromHex(inputs.dek)), {
    salt: dataKeySalt,
    createdAtMs: inputs.createdAt,
    flags: part.flags,
    context: encodeContext(inputs.context, CONTEXT_LIMITS.maxContextBytes),
    stored: part.bytes,
  })
}

const prefix = nonce.slice(0, XAES.prefixBytes)
const suffix = nonce.slice(XAES.prefixBytes)

/** A record whose head is followed by the nonce of the golden values. */
async function seal(
  recordKey: XaesKey,
  head: Uint8Array,
  text: Uint8Array<ArrayBuffer>,
  aad: EncryptionContext | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const subkey = await deriveSubkey(recordKey, prefix)
  return sealRecord(subkey, joinBytes(head, prefix), suffix, text, recordAad(aad))
}

/** Two keys are the same if they seal the same bytes to the same bytes: neither can be exported. */
async function sealsAs(key: CryptoKey, hex: string): Promise<boolean> {
  const algorithm = { name: 'AES-GCM', iv: suffix }
  const other = await crypto.subtle.importKey('raw', fromHex(hex), 'AES-GCM', false, ['encrypt'])
  const [a, b] = await Promise.all(
    [key, other].map((one) => crypto.subtle.encrypt(algorithm, one, plaintext)),
  )
  return toHex(new Uint8Array(a!)) === toHex(new Uint8Array(b!))
}

/** As {@link sealsAs}, for AES-256 as a block cipher. */
async function encryptsBlockAs({ cipher }: XaesKey, hex: string): Promise<boolean> {
  const algorithm = { name: 'AES-CBC', iv: new Uint8Array(16) }
  const other = await crypto.subtle.importKey('raw', fromHex(hex), 'AES-CBC', false, ['encrypt'])
  const [a, b] = await Promise.all(
    [cipher, other].map((one) => crypto.subtle.encrypt(algorithm, one, plaintext)),
  )
  return toHex(new Uint8Array(a!)) === toHex(new Uint8Array(b!))
}

/** Returns the body of a stream, written with the code's own chunks. */
async function streamBody(prk: CryptoKey, aad: EncryptionContext, text: Uint8Array<ArrayBuffer>) {
  const keys = await deriveChunkedKeys(prk, streamSalt, streamContext(aad))
  const parts: Uint8Array[] = [streamSalt, keys.commitment]
  for (let i = 0; i <= Math.floor(text.length / CHUNKED.chunkBytes); i++) {
    const chunk = text.slice(i * CHUNKED.chunkBytes, (i + 1) * CHUNKED.chunkBytes)
    parts.push(await sealChunk(keys, i, chunk))
  }
  return joinBytes(...parts)
}

describe('golden values: context encoding', () => {
  for (const { map, hex } of golden.contextEncoding) {
    it(`W1.1, W1.2: ${JSON.stringify(map)}`, () => {
      const context = map as unknown as EncryptionContext
      expect(toHex(encodeContext(context, CONTEXT_LIMITS.maxContextBytes))).toBe(hex)
    })
  }

  it('W1.13: K', () => {
    const k = kmsContext(inputs.context, salt, inputs.createdAt)
    expect({ ...k }).toEqual(golden.kmsContext.map)
    expect(toHex(encodeKmsContext(k))).toBe(golden.kmsContext.hex)
  })
})

describe.each(CASES)('golden values: $name', ({ values, stored }) => {
  const keyPart = fromHex(values.commitment)
  const header = (): Uint8Array<ArrayBuffer> =>
    encodeKeyHeader({ salt, createdAtMs: inputs.createdAt, stored, commitment: keyPart }, [WRAP])
      .bytes

  it('W2.4, W2.5: derivation', async () => {
    const keys = await derive(stored)
    expect(toHex(keys.commitment)).toBe(values.commitment)
    expect(toHex(keys.recordKey.k1)).toBe(values.recordDerivation.k1)
    expect(await encryptsBlockAs(keys.recordKey, values.recordKey)).toBe(true)
    const algorithm = { name: 'HMAC', hash: 'SHA-512' }
    const raw = fromHex(values.streamKey)
    const hmac = await crypto.subtle.importKey('raw', raw, algorithm, false, ['sign'])
    const signed = await Promise.all(
      [keys.streamKey, hmac].map((key) => crypto.subtle.sign('HMAC', key, plaintext)),
    )
    expect(toHex(new Uint8Array(signed[0]!))).toBe(toHex(new Uint8Array(signed[1]!)))
    expect([keys.recordKey.cipher.extractable, keys.streamKey.extractable]).toEqual([false, false])
  })

  it('W3.1, W3.2: key header and data-key record', () => {
    expect(toHex(header())).toBe(values.keyHeader)
    expect(toHex(encodeHead('data-key-record', header()))).toBe(values.dataKeyRecord)
    expect(dataKeyStoreKey(keyPart)).toBe(values.dataKeyStoreKey)
  })

  it('W4.5, W4.6: record, inline, by reference and as text', async () => {
    const { recordKey } = await derive(stored)
    const write = (head: Uint8Array): Promise<Uint8Array<ArrayBuffer>> =>
      seal(recordKey, head, plaintext, AAD)
    expect(toHex(await write(encodeHead('record', header())))).toBe(values.record)
    const byReference = await write(encodeHead('record-by-reference', keyPart))
    expect(toHex(byReference)).toBe(values.recordByReference)
    expect(encodeTextForm(byReference)).toBe(values.recordByReferenceText)
    const subkey = await deriveSubkey(recordKey, prefix)
    expect(await openRecord(subkey, byReference, recordAad(AAD), 36)).toEqual(plaintext)
    const none = new Uint8Array()
    const empty = await seal(recordKey, none, none, undefined)
    expect(toHex(empty)).toBe(values.recordEmptyPlaintextEmptyAadBody)
    expect(await openRecord(subkey, empty, recordAad({}))).toEqual(none)
  })

  it('W4.32, W4.33: K1 and the subkey of the nonce prefix', async () => {
    const { recordKey } = await derive(stored)
    const expected = values.recordDerivation
    expect(toHex(prefix) + toHex(suffix)).toBe(expected.noncePrefix + expected.nonceSuffix)
    expect(toHex(recordKey.k1)).toBe(expected.k1)
    expect(await sealsAs(await deriveSubkey(recordKey, prefix), expected.subkey)).toBe(true)
  })

  it('W4.10, W4.11, W4.14: stream, inline and by reference', async () => {
    const { streamKey } = await derive(stored)
    const body = await streamBody(streamKey, AAD, plaintext)
    const stream = joinBytes(encodeHead('stream', header()), body)
    expect(toHex(stream)).toBe(values.stream)
    const byReference = joinBytes(encodeHead('stream-by-reference', keyPart), body)
    expect(toHex(byReference)).toBe(values.streamByReference)
    const keys = await openChunked(streamKey, body.slice(0, 56), streamContext(AAD))
    expect(await openChunk(keys, 0, body.slice(56))).toEqual(plaintext)
    const empty = await streamBody(streamKey, AAD, new Uint8Array())
    expect(toHex(empty)).toBe(values.streamEmptyBody)
  })

  it('W4.13, W4.14: stream of two full chunks and one byte', async () => {
    const { streamKey } = await derive(stored)
    const text = Uint8Array.from({ length: 32_769 }, (_, i) => i % 251)
    const body = await streamBody(streamKey, AAD, text)
    expect(body.length).toBe(values.stream32769.bodyLength)
    expect(createHash('sha256').update(body).digest('hex')).toBe(values.stream32769.bodySha256)
  })

  it('W4.11, W4.13: stream derivation and the nonces of far chunks', async () => {
    const { streamKey } = await derive(stored)
    const expected = values.streamDerivation
    const keys = await deriveChunkedKeys(streamKey, streamSalt, streamContext(AAD))
    expect(toHex(keys.commitment)).toBe(expected.commitment)
    expect(toHex(keys.baseNonce)).toBe(expected.baseNonce)
    expect(await sealsAs(keys.aeadKey, expected.aeadKey)).toBe(true)
    expect(toHex(chunkNonce(keys.baseNonce, 4_294_967_297))).toBe(expected.nonceOfChunk4294967297)
    expect(toHex(chunkNonce(keys.baseNonce, 2 ** 38 - 1))).toBe(expected.nonceOfLastPossibleChunk)
    const sealed = await sealChunk(keys, 4_294_967_297, plaintext)
    expect(toHex(sealed)).toBe(expected.plaintextAsChunk4294967297)
    expect(await openChunk(keys, 4_294_967_297, sealed)).toEqual(plaintext)
  })
})

it('W3.18, W3.19: golden values of a local wrap', async () => {
  const wrap = golden.localWrap
  const kek = await importLocalKek(SecretBytes.copy(fromHex(wrap.kek)))
  const binding = {
    kekId: wrap.kekId,
    kekVersion: wrap.kekVersion,
    context: encodeKmsContext(kmsContext(inputs.context, salt, inputs.createdAt)),
  }
  const dek = SecretBytes.copy(fromHex(inputs.dek))
  expect(toHex(await wrapLocally(kek, dek, fromHex(wrap.nonce), binding))).toBe(wrap.wrapped)
  expect(toHex(await unwrapLocally(kek, fromHex(wrap.wrapped), binding))).toBe(inputs.dek)
})

it('W4.32, W4.33: golden values of a recordKey whose L has its top bit set', async () => {
  const expected = golden.recordKeyWithTopBit
  const { recordKey } = await derive(inputs.context, fromHex(expected.salt))
  expect(Number.parseInt(expected.l.slice(0, 2), 16) & 0x80).toBe(0x80)
  expect(await encryptsBlockAs(recordKey, expected.recordKey)).toBe(true)
  expect(toHex(recordKey.k1)).toBe(expected.k1)
  expect(await sealsAs(await deriveSubkey(recordKey, prefix), expected.subkey)).toBe(true)
  const body = await seal(recordKey, new Uint8Array(), plaintext, AAD)
  expect(toHex(body)).toBe(expected.recordBody)
})
