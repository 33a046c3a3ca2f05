// R2 for every kind and for both states of a reader. Accepted flips are listed by field, with what
// it means. `test/unit/wire/bit-flips.test.ts` has the cold reader with several KEKs.
import { describe, expect, it } from 'vitest'
import { EncryptedEnvelope, EnvelopeCipher, isKmsError } from '../../src/index.ts'
import { MemoryDataKeyStore } from '../../src/stores/index.ts'
import { toHex, utf8 } from '../vectors/hex.ts'
import { type Bytes, localKms, OPTIONS, through } from '../unit/wire/fixture.ts'
import { CountingKms } from '../unit/envelope/fixture.ts'

const plaintext = utf8('4111 1111')
const KINDS = ['record', 'stream', 'record-by-reference', 'stream-by-reference'] as const
type Kind = (typeof KINDS)[number]

/** The name of the field at each byte of a message with one local wrap. */
function fieldsOf(message: Bytes): string[] {
  const { kind, headBytes, wraps, storedContext } = EncryptedEnvelope.parse(message)
  const names: string[] = []
  const field = (name: string, length: number): void => {
    for (let i = 0; i < length; i++) names.push(name)
  }
  field('magic', 2)
  field('version', 1)
  field('kind', 1)
  if (!kind.endsWith('reference')) field('salt', 32)
  field('commitment', 32)
  if (wraps[0] !== undefined) {
    field('createdAt', 8)
    field('flags', 1)
    const { provider, kekId, kekVersion, wrapped } = wraps[0]
    const wrap = 7 + provider.length + kekId.length + kekVersion.length + wrapped.length
    if (storedContext !== undefined) field('stored context', headBytes - names.length - wrap - 1)
    field('count', 1)
    field('length', 1)
    field('provider', provider.length)
    field('length', 2)
    field('kekId', kekId.length)
    field('length', 2)
    field('kekVersion', kekVersion.length)
    field('length', 2)
    field('wrapped', wrapped.length)
  }
  expect(names).toHaveLength(headBytes)
  field('body', message.length - headBytes)
  return names
}

/** Flips each bit; returns how many flips of each field were accepted. Only a KmsError may come. */
async function accepted(
  message: Bytes,
  use: (changed: Bytes) => Promise<unknown>,
): Promise<Record<string, number>> {
  const fields = fieldsOf(message)
  const counts: Record<string, number> = {}
  for (let bit = 0; bit < message.length * 8; bit++) {
    const changed = message.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    try {
      await use(changed)
    } catch (error) {
      if (!isKmsError(error)) throw error
      continue
    }
    const name = fields[bit >> 3]!
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

async function world(kind: Kind): Promise<{
  kms: CountingKms
  store: MemoryDataKeyStore
  message: Bytes
  reader: () => EnvelopeCipher
}> {
  const kms = new CountingKms(localKms())
  const store = new MemoryDataKeyStore()
  const reader = (): EnvelopeCipher => new EnvelopeCipher({ kms, dataKeyStore: store })
  const form = kind.endsWith('reference') ? 'reference' : 'inline'
  const message = kind.startsWith('record')
    ? await reader().encrypt(plaintext, { ...OPTIONS, form })
    : await through(reader().encryptStream({ ...OPTIONS, form }), plaintext)
  return { kms, store, message, reader }
}

/** Decrypts as any kind, and holds what opens to the original. */
async function read(cipher: EnvelopeCipher, message: Bytes): Promise<void> {
  const back = await cipher.decrypt(message, { ...OPTIONS, kinds: KINDS })
  expect(toHex(back)).toBe(toHex(plaintext))
}

describe('R2 a reader with an empty cache', () => {
  it.each(KINDS)('R2 accepts no flip of a %s', async (kind) => {
    const { message, reader } = await world(kind)
    await read(reader(), message)
    expect(await accepted(message, (changed) => read(reader(), changed))).toEqual({})
  })

  it('R2 accepts no flip of a data-key record, in the store or as a message', async () => {
    const { kms, store, message } = await world('stream-by-reference')
    const [name] = (await store.list(undefined, 9)).keys
    const record = (await store.get(name!))!
    const inStore = await accepted(record, async (changed) => {
      const dataKeyStore = new MemoryDataKeyStore()
      await dataKeyStore.putIfAbsent(name!, changed)
      await read(new EnvelopeCipher({ kms, dataKeyStore }), message)
    })
    expect(inStore).toEqual({})
    const { context } = OPTIONS
    const rewrapped = await accepted(record, (changed) =>
      new EnvelopeCipher({ kms }).rewrap(changed, { context }),
    )
    expect(rewrapped).toEqual({})
  })
})

describe('R2 a reader that holds the data key', () => {
  // kekVersion: a claim that is not looked at while the data key is held. wrapped: not opened while
  // the data key is held. Both open to the same plaintext, and to nothing once the cache forgets;
  // seven bits of '1', because the eighth is not UTF-8.
  it.each(['record', 'stream'] as const)('R2 accepts changed wraps of a %s, only', async (kind) => {
    const { kms, message, reader } = await world(kind)
    const warm = reader()
    await read(warm, message)
    kms.calls.length = 0
    const found = await accepted(message, (changed) => read(warm, changed))
    expect(found).toEqual({ kekVersion: 7, wrapped: 72 * 8 })
    // Only another commitment could be another data key: each such header is asked for once.
    expect(kms.calls).toEqual(Array.from({ length: 32 * 8 }, () => 'unwrap'))
    kms.calls.length = 0
    await read(warm, message)
    expect(kms.calls).toEqual([])
  })

  it.each(['record-by-reference', 'stream-by-reference'] as const)(
    'R2 accepts no flip of a %s',
    async (kind) => {
      const { message, reader } = await world(kind)
      const warm = reader()
      await read(warm, message)
      expect(await accepted(message, (changed) => read(warm, changed))).toEqual({})
      await read(warm, message)
    },
  )

  it('R2 does not read the record in the store at all', async () => {
    const { kms, store, message } = await world('record-by-reference')
    const [name] = (await store.list(undefined, 9)).keys
    let planted = (await store.get(name!))!
    let reads = 0
    const dataKeyStore = new MemoryDataKeyStore()
    dataKeyStore.get = async () => {
      reads += 1
      return planted
    }
    const warm = new EnvelopeCipher({ kms, dataKeyStore })
    await read(warm, message)
    planted = planted.map((byte) => byte ^ 1)
    await read(warm, message)
    expect(reads).toBe(1)
    warm.clear()
    await expect(read(warm, message)).rejects.toMatchObject({ code: 'ERR_WIRE_MALFORMED' })
  })

  it('R2 a flip in what the commitment binds costs no KMS call', async () => {
    const { kms, message, reader } = await world('record')
    const warm = reader()
    await read(warm, message)
    kms.calls.length = 0
    const fields = fieldsOf(message)
    for (const name of ['salt', 'createdAt', 'flags', 'stored context', 'kind', 'kekId', 'body']) {
      const at = fields.indexOf(name)
      const changed = message.slice()
      changed[at]! ^= 1
      await expect(read(warm, changed), name).rejects.toBeDefined()
    }
    expect(kms.calls).toEqual([])
  })
})

describe('R2 a rewrap', () => {
  const { context } = OPTIONS

  // The body goes through unread: what a rewrap makes of it opens no better than what came in.
  const UNREAD = { body: 49 * 8 }

  it('R2 with verify open accepts a changed body, which no reader then opens', async () => {
    const { message, reader } = await world('record')
    const found = await accepted(message, async (changed) => {
      const next = await reader().rewrap(changed, { context })
      await expect(read(reader(), next)).rejects.toMatchObject({ code: expect.any(String) })
    })
    expect(found).toEqual(UNREAD)
  })

  it('R2 with verify kms accepts a changed commitment too, and no reader opens it', async () => {
    const { message, reader } = await world('record')
    const found = await accepted(message, async (changed) => {
      const next = await reader().rewrap(changed, { context, verify: 'kms' })
      await expect(read(reader(), next)).rejects.toMatchObject({ code: expect.any(String) })
    })
    expect(found).toEqual({ ...UNREAD, commitment: 32 * 8 })
  })

  it('R2 a record that calls itself a stream is rewrapped if it is long enough, and opens as neither', async () => {
    const { message, reader } = await world('record')
    const short = message.slice()
    short[3] = 2
    await expect(reader().rewrap(short, { context })).rejects.toMatchObject({
      code: 'ERR_DECRYPT_FAILED',
    })
    const changed = new Uint8Array([...short, ...new Uint8Array(72)])
    for (const one of [changed, await reader().rewrap(changed, { context })]) {
      await expect(read(reader(), one)).rejects.toMatchObject({ code: 'ERR_DECRYPT_FAILED' })
    }
  })
})
