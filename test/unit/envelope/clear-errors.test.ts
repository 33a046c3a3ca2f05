// A caller in JavaScript passes something wrong: the error names the argument, and says what to write instead.
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  CachedKms,
  type DataEncryptionKey,
  type DataKeySource,
  EnvelopeCipher,
  type EnvelopeCipherOptions,
} from '../../../src/index.ts'
import { coldReader, OPTIONS, PlainKms, sequence, setUp } from '../wire/fixture.ts'

const build = (options: unknown): EnvelopeCipher =>
  new EnvelopeCipher(options as EnvelopeCipherOptions)
const config = (message: string): unknown =>
  expect.objectContaining({ code: 'ERR_KMS_CONFIG', message })
const type = (message: string): unknown => expect.objectContaining({ name: 'TypeError', message })
const kms = new PlainKms()

afterEach(() => {
  vi.unstubAllGlobals()
})

describe('a cipher', () => {
  const keys = new CachedKms({ kms })
  const asKms = 'pass a KMS as new EnvelopeCipher({ kms })'
  const asKeys = 'pass a data-key source such as CachedKms as new EnvelopeCipher({ keys })'

  it.each<[string, unknown, string]>([
    ['a bare KMS', kms, asKms],
    ['a bare source', keys, asKeys],
    ['a source as kms', { kms: keys }, asKeys],
    ['a KMS as keys', { keys: kms }, asKms],
    ['both', { kms, keys }, 'unknown option beside keys: kms; the data-key source has its own'],
    ['keys: 5', { keys: 5 }, 'keys must be a DataKeySource such as CachedKms, got a number'],
    [
      'an option of the source',
      { keys, maxWraps: 3 },
      'unknown option beside keys: maxWraps; the data-key source has its own',
    ],
    ['nothing', undefined, 'options must be an object such as { kms }, got undefined'],
    ['null', null, 'options must be an object such as { kms }, got null'],
    [
      'a promise',
      { keys: Promise.resolve(keys) },
      'keys must be a DataKeySource such as CachedKms, got a promise: did you forget await?',
    ],
    [
      'acceptVersions: 5',
      { kms, acceptVersions: 5 },
      'acceptVersions must be an array of supported versions: [1], got a number',
    ],
    [
      'form without a store',
      { kms, form: 'reference' },
      "form: 'reference' requires a dataKeyStore: give one",
    ],
  ])('from %s says what to write', (_, options, message) => {
    expect(() => build(options)).toThrow(config(message))
  })

  it.each<[string, unknown]>([
    ['crypto.subtle', { getRandomValues: () => undefined }],
    ['crypto', undefined],
  ])('without %s says so at construction', (_, stub) => {
    vi.stubGlobal('crypto', stub)
    const message = 'crypto.subtle is missing: serve the page over https or from localhost'
    expect(() => build({ kms })).toThrow(config(message))
  })
})

describe('a call', () => {
  const forgotten = 'a promise: did you forget await?'

  it('with a promise for bytes or text asks for the await', async () => {
    const { cipher } = setUp()
    const later = Promise.resolve(sequence(9)) as unknown as Uint8Array
    const text = cipher.encryptText('4111 1111', OPTIONS) as unknown as string
    await expect(cipher.decryptText(text)).rejects.toEqual(
      type(`text must be a string, got ${forgotten}`),
    )
    await expect(cipher.encryptText(text)).rejects.toEqual(
      type(`text must be a string, got ${forgotten}`),
    )
    const bytes = (name: string): unknown => type(`${name} must be a Uint8Array, got ${forgotten}`)
    await expect(cipher.encrypt(later)).rejects.toEqual(bytes('plaintext'))
    await expect(cipher.decrypt(later)).rejects.toEqual(bytes('envelope'))
    await expect(cipher.rewrap(later)).rejects.toEqual(bytes('envelope'))
    const items = [{ plaintext: sequence(9) }, { plaintext: later }]
    await expect(cipher.encryptMany(items)).rejects.toEqual(bytes('items[1].plaintext'))
  })

  it('with nothing names the argument', async () => {
    const { cipher } = setUp()
    const nothing = undefined as never
    await expect(cipher.encryptText(nothing)).rejects.toEqual(
      type('text must be a string, got undefined'),
    )
    await expect(cipher.decryptText(nothing)).rejects.toEqual(
      type('text must be a string, got undefined'),
    )
    await expect(cipher.encrypt(nothing)).rejects.toEqual(
      type('plaintext must be a Uint8Array, got undefined'),
    )
    await expect(cipher.encryptMany(nothing)).rejects.toEqual(
      type('items must be an array, got undefined'),
    )
    await expect(cipher.decryptMany(nothing)).rejects.toEqual(
      type('items must be an array, got undefined'),
    )
    await expect(cipher.encryptMany([nothing])).rejects.toEqual(
      type('items[0].plaintext must be a Uint8Array, got undefined'),
    )
  })

  it.each<[object, string]>([
    [
      { context: { tenant: 5 } },
      'the context map must have strings as values: "tenant" is a number: write String(value)',
    ],
    [{ aad: { row: undefined } }, 'the aad map must have strings as values: "row" is undefined'],
    [{ aad: { row: ['1'] } }, 'the aad map must have strings as values: "row" is an array'],
    [{ context: 'acme' }, 'the context map must be a plain object, got a string'],
    [{ aad: new Map() }, 'the aad map must be a plain object, got an instance of a class'],
    [
      { context: { a: '', A: '' } },
      'the context map must have no two keys that differ in case only',
    ],
    [{ aad: { '': '' } }, 'the aad map must have no empty key'],
    [{ aad: { 'edge-kms:x': '' } }, 'the aad map must have no key that begins with edge-kms:'],
    [
      { aad: { row: '\ud800' } },
      'the aad map must have no lone surrogate, which UTF-8 cannot hold',
    ],
    [{ context: { big: 'x'.repeat(5_000) } }, 'the context map must have at most 4096 bytes'],
  ])('with a wrong map says, and shows no value: %#', async (options, message) => {
    const { cipher } = setUp()
    const invalid = expect.objectContaining({ code: 'ERR_CONTEXT_INVALID', message }) as unknown
    await expect(cipher.encrypt(sequence(9), options)).rejects.toEqual(invalid)
    await expect(cipher.startStream(options)).rejects.toEqual(invalid)
  })

  it('with the map of a warm cache names the key too', async () => {
    const { cipher } = setUp()
    await cipher.encrypt(sequence(9), OPTIONS)
    const context = { tenant: 4111 } as unknown as Record<string, string>
    const error: unknown = await cipher.encrypt(sequence(9), { context }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'ERR_CONTEXT_INVALID' })
    expect(String(error)).toContain('"tenant"')
    expect(String(error)).not.toContain('4111')
  })
})

it('decryptMany over a source or a KMS that empties what it is given fails that item alone', async () => {
  const inner = new CachedKms({ maxEntries: 0, kms })
  const envelope = await setUp({ kms }).cipher.encrypt(sequence(9), OPTIONS)
  const items = [{ envelope, ...OPTIONS }, { envelope: sequence(3) }]
  const emptying = (given: readonly unknown[]): void => {
    ;(given as unknown[]).length = 0
  }
  const keys = Object.create(inner) as DataKeySource & { openMany: DataKeySource['openMany'] }
  Object.defineProperties(keys, {
    policy: { value: inner.policy },
    recall: { value: (): DataEncryptionKey | undefined => undefined },
    openMany: {
      value: async (requests: readonly unknown[]) => {
        emptying(requests)
        return []
      },
    },
  })
  const greedy = new PlainKms()
  greedy.unwrapMany = async (given) => {
    emptying(given)
    return []
  }
  for (const reader of [build({ keys }), coldReader(greedy)]) {
    const outcomes = await reader.decryptMany(items)
    expect(outcomes).toMatchObject([
      { ok: false, error: { code: 'ERR_KMS_RESPONSE_INVALID' } },
      { ok: false, error: { code: 'ERR_WIRE_MALFORMED' } },
    ])
  }
})
