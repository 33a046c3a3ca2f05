import { afterEach, describe, expect, it, vi } from 'vitest'
import { EncryptedEnvelope, MultiKms } from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOfAsync, utf8 } from '../../vectors/hex.ts'
import { rawHeader, type RawWrap, rawMessage } from '../../vectors/raw-header.ts'
import {
  coldReader,
  CONTEXT,
  OPTIONS,
  PlainKms,
  sequence,
  setUp,
  through,
} from '../wire/fixture.ts'

const FAILED = 'ERR_DECRYPT_FAILED'
const KINDS = ['record', 'stream', 'record-by-reference', 'stream-by-reference'] as const
const SALT = sequence(32, 9)
const CREATED_AT = 1_767_225_600_000
const plaintext = utf8('4111 1111')

const { sealUnderTwoKeys } = (await import(
  new URL('../../../tools/kit/two-key-gcm.mjs', import.meta.url).href
)) as {
  sealUnderTwoKeys(
    keys: readonly [Uint8Array, Uint8Array],
    nonce: Uint8Array,
    aad: Uint8Array,
  ): Uint8Array
}

const { subkeyOf } = (await import(
  new URL('../../../tools/kit/build.mjs', import.meta.url).href
)) as { subkeyOf(key: Uint8Array, prefix: Uint8Array): Uint8Array }

/** Prefix and suffix of the nonce of the forged record. */
const PREFIX = sequence(12, 4)
const SUFFIX = sequence(12, 5)

/** Two DEKs under two KEKs of one KMS, and what each derives for one salt, age and context. */
async function derive(dek: Uint8Array): Promise<{ subkey: Uint8Array; commitment: Uint8Array }> {
  const context = new Uint8Array([0, 1, 0, 6, ...utf8('tenant'), 0, 4, ...utf8('acme')])
  const hash = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const age = Buffer.alloc(8)
  age.writeBigUInt64BE(BigInt(CREATED_AT))
  const empty = await hash(new Uint8Array(2))
  const info = Buffer.concat([
    utf8('edge-kms/v1/data-key\0'),
    age,
    await hash(context),
    Buffer.of(0),
    empty,
  ])
  const ikm = await crypto.subtle.importKey('raw', new Uint8Array(dek), 'HKDF', false, [
    'deriveBits',
  ])
  const parameters = { name: 'HKDF', hash: 'SHA-512', salt: SALT, info: new Uint8Array(info) }
  const okm = new Uint8Array(await crypto.subtle.deriveBits(parameters, ikm, 768))
  return { subkey: subkeyOf(okm.subarray(0, 32), PREFIX), commitment: okm.subarray(64) }
}

const deks = [sequence(32, 1), sequence(32, 2)] as const
const wrapOf = (dek: Uint8Array, kekId: string): RawWrap => {
  return { provider: 'plain', kekId, wrapped: dek.slice().reverse() }
}
const kmsFor = (...kekIds: string[]): PlainKms => {
  const kms = new PlainKms()
  kms.kekIds = kekIds
  return kms
}
const aad = new Uint8Array([...utf8('edge-kms/v1/record\0'), 0, 0])

afterEach(() => {
  vi.restoreAllMocks()
})

describe('R1 a ciphertext that opens under two keys', () => {
  async function twoKeyBody(): Promise<{
    body: Uint8Array
    keys: readonly { subkey: Uint8Array; commitment: Uint8Array }[]
  }> {
    const keys = [await derive(deks[0]), await derive(deks[1])] as const
    const pair = [keys[0].subkey, keys[1].subkey] as const
    const sealed = sealUnderTwoKeys(pair, SUFFIX, aad)
    return { body: new Uint8Array([...PREFIX, ...SUFFIX, ...sealed]), keys }
  }

  it('R1 is real: AES-GCM opens it under both, to different plaintexts', async () => {
    const { body, keys } = await twoKeyBody()
    const opened = await Promise.all(
      keys.map(async ({ subkey }) => {
        const raw = new Uint8Array(subkey)
        const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['decrypt'])
        const parameters = { name: 'AES-GCM', iv: SUFFIX, additionalData: aad }
        return Buffer.from(
          await crypto.subtle.decrypt(parameters, key, new Uint8Array(body.slice(24))),
        )
      }),
    )
    expect(opened).toHaveLength(2)
    expect(opened[0]?.equals(opened[1] as Buffer)).toBe(false)
  })

  it('R1 at most the committed key opens it, whichever KEK a reader has', async () => {
    const { body, keys } = await twoKeyBody()
    for (const [committed, { commitment }] of keys.entries()) {
      for (const order of [
        [0, 1],
        [1, 0],
      ] as const) {
        const wraps = order.map((i) => wrapOf(deks[i], `kek-${String(i)}`))
        const header = rawHeader({ salt: SALT, commitment, createdAt: BigInt(CREATED_AT), wraps })
        const message = rawMessage(1, header, body)
        const read = (kms: PlainKms): Promise<Uint8Array> =>
          coldReader(kms).decrypt(message, { context: CONTEXT })
        const own = `kek-${String(committed)}`
        const other = `kek-${String(1 - committed)}`
        const expected = await read(kmsFor(own))
        expect(await codeOfAsync(() => read(kmsFor(other)))).toBe(FAILED)
        // With both KEKs it is still the committed one, in any order.
        expect(await read(kmsFor('kek-0', 'kek-1'))).toEqual(expected)
        expect(await read(kmsFor('kek-1', 'kek-0'))).toEqual(expected)
      }
    }
  })

  it('R1 two readers with two KEKs never see two plaintexts of one message', async () => {
    const { body, keys } = await twoKeyBody()
    const wraps = deks.map((dek, i) => wrapOf(dek, `kek-${String(i)}`))
    const commitments = [...keys.map((key) => key.commitment), sequence(32, 3)]
    for (const [place, commitment] of commitments.entries()) {
      const header = rawHeader({ salt: SALT, commitment, createdAt: BigInt(CREATED_AT), wraps })
      const message = rawMessage(1, header, body)
      const codes = await Promise.all(
        ['kek-0', 'kek-1'].map((kekId) =>
          codeOfAsync(() => coldReader(kmsFor(kekId)).decrypt(message, { context: CONTEXT })),
        ),
      )
      expect(codes.map((code) => code ?? 'opened')).toEqual(
        [0, 1].map((i) => (i === place ? 'opened' : FAILED)),
      )
    }
  })
})

describe('R1 swapped wraps', () => {
  const kms = new MultiKms({
    read: [1, 2].map((n) =>
      createLocalKms({
        kekId: `kek-${String(n)}`,
        versions: [{ version: 1, key: sequence(32, n) }],
      }),
    ),
  })

  it.each(['record', 'stream'] as const)('R1 of a %s fail inline', async (kind) => {
    const { cipher } = setUp({ kms, cache: false })
    const make = (): Promise<Uint8Array> =>
      kind === 'record'
        ? cipher.encrypt(plaintext, OPTIONS)
        : through(cipher.encryptStream(OPTIONS), plaintext)
    const [one, two] = [await make(), await make()]
    const wrapsFrom = (message: Uint8Array): number =>
      message.length - wrapBytes(message) - (message.length - headOf(message))
    const swapped = new Uint8Array(
      Buffer.concat([
        one.subarray(0, wrapsFrom(one)),
        two.subarray(wrapsFrom(two), headOf(two)),
        one.subarray(headOf(one)),
      ]),
    )
    const call = { ...OPTIONS, kinds: KINDS }
    expect(await coldReader(kms).decrypt(one, call)).toEqual(plaintext)
    expect(await codeOfAsync(() => coldReader(kms).decrypt(swapped, call))).toBe(FAILED)
    const [outcome] = await coldReader(kms).decryptMany([{ envelope: swapped, ...OPTIONS }], {
      kinds: KINDS,
    })
    expect(outcome?.ok === false && outcome.error.code).toBe(FAILED)
  })

  it('R1 by reference fail, and so does the record of another data key', async () => {
    const dataKeyStore = new MemoryDataKeyStore()
    const { cipher } = setUp({ kms, cache: false, dataKeyStore, form: 'reference' })
    const [one, two] = [
      await cipher.encrypt(plaintext, OPTIONS),
      await cipher.encrypt(plaintext, OPTIONS),
    ]
    const nameOf = (message: Uint8Array): string => EncryptedEnvelope.parse(message).dataKeyStoreKey
    const record = (await dataKeyStore.get(nameOf(one)))!
    const other = (await dataKeyStore.get(nameOf(two)))!
    const at = headOf(record) - wrapBytes(record)
    const swapped = Buffer.concat([record.subarray(0, at), other.subarray(at)])
    const read = async (planted: Uint8Array): Promise<string | undefined> => {
      const store = new MemoryDataKeyStore()
      await store.putIfAbsent(nameOf(one), new Uint8Array(planted))
      const reader = coldReader(kms, { dataKeyStore: store })
      return codeOfAsync(() => reader.decrypt(one, OPTIONS))
    }
    expect(await read(record)).toBeUndefined()
    expect(await read(swapped)).toBe(FAILED)
    expect(await read(other)).toBe(FAILED)
  })

  function headOf(message: Uint8Array): number {
    return EncryptedEnvelope.parse(message).headBytes
  }

  /** All wraps in bytes: four length fields, which take 7 bytes, and what they count. */
  function wrapBytes(message: Uint8Array): number {
    return EncryptedEnvelope.parse(message).wraps.reduce(
      (sum, { provider, kekId, kekVersion, wrapped }) =>
        sum + 7 + provider.length + kekId.length + kekVersion.length + wrapped.length,
      0,
    )
  }
})

describe('R1 the commitment is compared before any AEAD call', () => {
  it.each(['record', 'stream'] as const)('R1 of a %s', async (kind) => {
    const { cipher, kms } = setUp()
    const message =
      kind === 'record'
        ? await cipher.encrypt(plaintext, OPTIONS)
        : await through(cipher.encryptStream(OPTIONS), plaintext)
    const { headBytes } = EncryptedEnvelope.parse(message)
    const call = { ...OPTIONS, kinds: KINDS }
    const decrypt = vi.spyOn(crypto.subtle, 'decrypt')
    const wrong = kind === 'record' ? [36, 67] : [36, 67, headBytes, headBytes + 24, headBytes + 55]
    for (const at of wrong) {
      const bad = message.slice()
      bad[at]! ^= 0x80
      expect(await codeOfAsync(() => coldReader(kms).decrypt(bad, call))).toBe(FAILED)
      await coldReader(kms).decryptMany([{ envelope: bad, ...OPTIONS }], { kinds: KINDS })
    }
    expect(decrypt).not.toHaveBeenCalled()
    expect(await coldReader(kms).decrypt(message, call)).toEqual(plaintext)
    expect(decrypt).toHaveBeenCalledTimes(1)
  })
})
