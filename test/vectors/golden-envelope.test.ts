import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  type GeneratedDataKey,
  SecretBytes,
  type UnwrappedDataKey,
  type WrappedKey,
} from '../../src/index.ts'
import { createLocalKms } from '../../src/providers/local/index.ts'
import { MemoryDataKeyStore } from '../../src/stores/index.ts'
import { type Bytes, FakeRuntime, PlainKms, through } from '../unit/wire/fixture.ts'
import golden from './golden.json' with { type: 'json' }
import { codeOfAsync, fromHex, toHex, utf8 } from './hex.ts'

const { inputs } = golden
const OPTIONS = { context: inputs.context, aad: inputs.aad }
const WRAP: WrappedKey = {
  provider: 'aws-kms',
  kekId: inputs.kekId,
  kekVersion: '',
  wrapped: new Uint8Array(184).fill(0xa5),
}

/** Knows one DEK and one wrap: those of the golden values. */
class GoldenKms extends PlainKms {
  readonly contexts: object[] = []

  override canUnwrap(wrap: WrappedKey): boolean {
    return wrap.provider === WRAP.provider && wrap.kekId === WRAP.kekId
  }

  override async generateDataKey(options: { context: object }): Promise<GeneratedDataKey> {
    this.contexts.push({ ...options.context })
    return { plaintext: SecretBytes.copy(fromHex(inputs.dek)), wraps: [WRAP] }
  }

  override async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: { context: object },
  ): Promise<UnwrappedDataKey> {
    this.contexts.push({ ...options.context })
    expect(wraps).toEqual([WRAP])
    return { plaintext: SecretBytes.copy(fromHex(inputs.dek)), by: wraps[0]! }
  }
}

function setUp(requiredContextKeys: string[]): {
  readonly cipher: EnvelopeCipher
  readonly kms: GoldenKms
  readonly dataKeyStore: MemoryDataKeyStore
} {
  const runtime = new FakeRuntime()
  runtime.nowMs = inputs.createdAt
  runtime.scripted.set(32, [fromHex(inputs.salt)])
  // The prefix of the nonce is drawn once, then a suffix for each record.
  const [prefix, suffix] = [inputs.recordNonce.slice(0, 24), inputs.recordNonce.slice(24)]
  runtime.scripted.set(12, [prefix, suffix, suffix, suffix].map(fromHex))
  runtime.scripted.set(
    24,
    [1, 2, 3, 4].map(() => fromHex(inputs.streamSalt)),
  )
  const kms = new GoldenKms()
  const dataKeyStore = new MemoryDataKeyStore()
  const cipher = new EnvelopeCipher({ kms, runtime, dataKeyStore, requiredContextKeys })
  return { cipher, kms, dataKeyStore }
}
const reader = (kms: GoldenKms, dataKeyStore: MemoryDataKeyStore): EnvelopeCipher =>
  new EnvelopeCipher({ kms, dataKeyStore })
const bodyOf = (envelope: Bytes): string =>
  toHex(envelope.slice(EncryptedEnvelope.parse(envelope).headBytes))

describe.each([
  { name: 'stored context', values: golden.storedContext, required: [] },
  { name: 'context not stored', values: golden.contextNotStored, required: ['tenant'] },
])('golden messages through EnvelopeCipher: $name', ({ values, required }) => {
  it('W4.5, W4.6: writes the record, inline, by reference and as text', async () => {
    const { cipher, kms, dataKeyStore } = setUp(required)
    expect(toHex(await cipher.encrypt(utf8(inputs.plaintext), OPTIONS))).toBe(values.record)
    expect(kms.contexts).toEqual([golden.kmsContext.map])
    const text = await cipher.encryptText(inputs.plaintext, { ...OPTIONS, form: 'reference' })
    expect(text).toBe(values.recordByReferenceText)
    expect(toHex((await dataKeyStore.get(values.dataKeyStoreKey))!)).toBe(values.dataKeyRecord)
    const empty = await cipher.encrypt(new Uint8Array(0), { context: inputs.context })
    expect(bodyOf(empty)).toBe(values.recordEmptyPlaintextEmptyAadBody)
  })

  it('W4.10, W4.14: writes the stream, inline and by reference', async () => {
    const { cipher } = setUp(required)
    const write = (text: Bytes, options: object): Promise<Bytes> =>
      through(cipher.encryptStream({ ...OPTIONS, ...options }), text)
    expect(toHex(await write(utf8(inputs.plaintext), {}))).toBe(values.stream)
    const reference = await write(utf8(inputs.plaintext), { form: 'reference' })
    expect(toHex(reference)).toBe(values.streamByReference)
    expect(bodyOf(await write(new Uint8Array(0), {}))).toBe(values.streamEmptyBody)
    const long = Uint8Array.from({ length: 32_769 }, (_, i) => i % 251)
    const body = fromHex(bodyOf(await write(long, {})))
    expect(body.length).toBe(values.stream32769.bodyLength)
    expect(createHash('sha256').update(body).digest('hex')).toBe(values.stream32769.bodySha256)
  })

  it('reads every one of them, with K as the context of the KMS', async () => {
    const { kms, dataKeyStore } = setUp(required)
    const kinds = ['record', 'record-by-reference', 'stream', 'stream-by-reference'] as const
    await dataKeyStore.putIfAbsent(values.dataKeyStoreKey, fromHex(values.dataKeyRecord))
    for (const hex of [
      values.record,
      values.recordByReference,
      values.stream,
      values.streamByReference,
    ]) {
      const cold = reader(kms, dataKeyStore)
      const opened = await cold.decrypt(fromHex(hex), { ...OPTIONS, kinds })
      expect(toHex(opened)).toBe(toHex(utf8(inputs.plaintext)))
      expect(await through(cold.decryptStream({ ...OPTIONS, kinds }), fromHex(hex))).toEqual(opened)
    }
    const text = values.recordByReferenceText
    expect(await reader(kms, dataKeyStore).decryptText(text, OPTIONS)).toBe(inputs.plaintext)
    for (const context of kms.contexts) expect(context).toEqual(golden.kmsContext.map)
  })
})

describe('golden messages that open with a key', () => {
  const { localWrap, openable } = golden
  const newReader = (): { readonly cipher: EnvelopeCipher; readonly store: MemoryDataKeyStore } => {
    const versions = [{ version: Number(localWrap.kekVersion), key: fromHex(localWrap.kek) }]
    const store = new MemoryDataKeyStore()
    const kms = createLocalKms({ kekId: localWrap.kekId, versions })
    return { cipher: new EnvelopeCipher({ kms, dataKeyStore: store }), store }
  }

  it('W3.18, W3.19: opens the record and the stream over the local provider', async () => {
    const { cipher } = newReader()
    expect(await cipher.decrypt(fromHex(openable.record), OPTIONS)).toEqual(utf8(inputs.plaintext))
    const stream = await through(
      newReader().cipher.decryptStream(OPTIONS),
      fromHex(openable.stream),
    )
    expect(stream).toEqual(utf8(inputs.plaintext))
    const stored = await newReader().cipher.decryptStored(fromHex(openable.record), {
      aad: inputs.aad,
    })
    expect({ ...stored.context }).toEqual(inputs.context)
  })

  it('opens the messages by reference with the data-key record', async () => {
    const { cipher, store } = newReader()
    const record = fromHex(openable.dataKeyRecord)
    const { commitment } = EncryptedEnvelope.parse(record)
    expect(toHex(commitment)).toBe(golden.storedContext.commitment)
    await store.putIfAbsent(golden.storedContext.dataKeyStoreKey, record)
    const { recordByReferenceText, streamByReference } = golden.storedContext
    expect(await cipher.decryptText(recordByReferenceText, OPTIONS)).toBe(inputs.plaintext)
    const options = { ...OPTIONS, kinds: ['stream-by-reference'] as const }
    expect(await through(cipher.decryptStream(options), fromHex(streamByReference))).toEqual(
      utf8(inputs.plaintext),
    )
  })

  it('opens under no other key, context or aad', async () => {
    const versions = [{ version: Number(localWrap.kekVersion), key: fromHex(inputs.salt) }]
    const record = fromHex(openable.record)
    const other = new EnvelopeCipher({ kms: createLocalKms({ kekId: 'app', versions }) })
    const { cipher } = newReader()
    expect(await codeOfAsync(() => other.decrypt(record, OPTIONS))).toBe('ERR_DECRYPT_FAILED')
    for (const change of [{ context: { tenant: 'evil' } }, { aad: {} }]) {
      const opening = (): Promise<unknown> => cipher.decrypt(record, { ...OPTIONS, ...change })
      expect(await codeOfAsync(opening)).toBe('ERR_DECRYPT_FAILED')
    }
  })
})
