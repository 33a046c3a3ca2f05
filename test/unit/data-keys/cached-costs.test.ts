// Counts, rather than times, the cost of each use. docs/guides/caching.md has the same table, and is compared.
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import {
  CachedKms,
  type DataKeyStore,
  EncryptedEnvelope,
  EnvelopeCipher,
  type EnvelopeCipherOptions,
} from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { CountingKms, flipped } from '../envelope/fixture.ts'
import { type Bytes, OPTIONS, PlainKms, sequence, through } from '../wire/fixture.ts'
import { distinctRuntime } from './fixture.ts'

const METHODS = Object.getOwnPropertyNames(Object.getPrototypeOf(crypto.subtle)).filter(
  (name) => typeof Reflect.get(crypto.subtle, name) === 'function' && name !== 'constructor',
) as (keyof SubtleCrypto)[]

/** How calls of the AEAD are noted: the block cipher of a new nonce prefix is another call. */
const AEAD = 'AES-GCM'
/** 16 chunks of a stream, the last one short. */
const LARGE = sequence(16 * 16_384 - 1)
const reference = { ...OPTIONS, form: 'reference' } as const

const subtle: string[] = []

beforeEach(() => {
  for (const name of METHODS) {
    const real = crypto.subtle[name] as (...args: unknown[]) => unknown
    vi.spyOn(crypto.subtle, name).mockImplementation((...args: unknown[]) => {
      const { name: algorithm } = Object(args[0]) as { readonly name?: string }
      subtle.push(/^(en|de)crypt$/.test(name) && algorithm === AEAD ? AEAD : name)
      return real.apply(crypto.subtle, args) as never
    })
  }
})
afterEach(() => vi.restoreAllMocks())

/** A store whose every call is counted. */
function counted<T extends object>(store: T, calls: string[]): T {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      return (...args: unknown[]): unknown => {
        calls.push(String(name))
        return Reflect.apply(member, target, args)
      }
    },
  })
}

function setUp(of: 'CachedKms' | 'EnvelopeCipher') {
  const kms = new CountingKms(new PlainKms())
  const runtime = distinctRuntime()
  const stored: string[] = []
  const dataKeyStore: DataKeyStore = counted(new MemoryDataKeyStore(), stored)
  const fresh = (): EnvelopeCipher => {
    const parts = { kms, runtime, dataKeyStore }
    const options: EnvelopeCipherOptions =
      of === 'CachedKms' ? { keys: new CachedKms(parts), runtime } : parts
    return new EnvelopeCipher(options)
  }
  const count = async (work: () => Promise<unknown>): Promise<readonly string[]> => {
    for (const list of [subtle, kms.calls, stored]) list.length = 0
    await work()
    const aead = subtle.filter((name) => name === AEAD).length
    const hashes = subtle.filter((name) => name === 'digest').length
    const others = subtle.length - aead - hashes
    return [aead, hashes, others, kms.calls.length, stored.length].map(String)
  }
  return { fresh, count }
}

type Use = (warm: EnvelopeCipher, cold: EnvelopeCipher, inputs: Inputs) => Promise<unknown>
interface Inputs {
  readonly inline: Bytes
  readonly byReference: Bytes
  readonly rewrapped: Bytes
  readonly stream: Bytes
}

/** The rows of the table, by its first column. */
const USES: Readonly<Record<string, Use>> = {
  'encrypt, key at hand': (warm) => warm.encrypt(sequence(9), OPTIONS),
  'encrypt by reference, key at hand': (warm) => warm.encrypt(sequence(9), reference),
  'decrypt, key at hand': (warm, _, { inline }) => warm.decrypt(inline, OPTIONS),
  'decrypt by reference, key at hand': (warm, _, { byReference }) =>
    warm.decrypt(byReference, OPTIONS),
  'decrypt what was rewrapped since, key at hand': (warm, _, { rewrapped }) =>
    warm.decrypt(rewrapped, OPTIONS),
  '100 at once by `encryptMany`, key at hand': (warm) =>
    warm.encryptMany(Array.from({ length: 100 }, () => ({ plaintext: sequence(9), ...OPTIONS }))),
  '100 at once by `decryptMany`, key at hand': (warm, _, { inline }) =>
    warm.decryptMany(Array.from({ length: 100 }, () => ({ envelope: inline, ...OPTIONS }))),
  'a stream of 16 chunks, key at hand': (warm) => through(warm.encryptStream(OPTIONS), LARGE),
  'its decryption, key at hand': (warm, _, { stream }) =>
    through(warm.decryptStream(OPTIONS), stream),
  'the first encrypt of a data key': (_, cold) => cold.encrypt(sequence(9), OPTIONS),
  'the first encrypt by reference of a data key': (_, cold) => cold.encrypt(sequence(9), reference),
  'the first decrypt of a data key': (_, cold, { inline }) => cold.decrypt(inline, OPTIONS),
  'the first decrypt by reference of a data key': (_, cold, { byReference }) =>
    cold.decrypt(byReference, OPTIONS),
  'a rewrap': (warm, _, { inline }) => warm.rewrap(inline, OPTIONS),
}

async function countAll(
  of: 'CachedKms' | 'EnvelopeCipher',
): Promise<Record<string, readonly string[]>> {
  const { fresh, count } = setUp(of)
  const warm = fresh()
  const inline = await warm.encrypt(sequence(9), OPTIONS)
  const inputs = {
    inline,
    byReference: await warm.encrypt(sequence(9), reference),
    // Wraps are not part of what is opened: this stands for another list of them.
    rewrapped: flipped(inline, EncryptedEnvelope.parse(inline).headBytes - 1),
    stream: await through(warm.encryptStream(OPTIONS), LARGE),
  }
  const counts: Record<string, readonly string[]> = {}
  for (const [name, use] of Object.entries(USES)) {
    counts[name] = await count(() => use(warm, fresh(), inputs))
  }
  return counts
}

const cached = (name: string): boolean => name.endsWith('key at hand')

it.each(['CachedKms', 'EnvelopeCipher'] as const)(
  'a cached encrypt or decrypt costs no hash, no store read, no KMS call and one AEAD call: %s',
  async (of) => {
    const counts = await countAll(of)
    const single = Object.keys(USES).filter((name) => cached(name) && /^(en|de)crypt/.test(name))
    expect(single).toHaveLength(5)
    for (const name of single) expect(counts[name], name).toEqual(['1', '0', '0', '0', '0'])
    // The counters count: a first use costs something in every column.
    const first = counts['the first decrypt by reference of a data key']
    expect(first?.map(Number).every((n) => n > 0)).toBe(true)
  },
)

it('docs/guides/caching.md says of every use what was counted', async () => {
  const guide = readFileSync(new URL('../../../docs/guides/caching.md', import.meta.url), 'utf8')
  const section = guide.split('\n## Cost of a use\n')[1]?.split('\n## ')[0] ?? ''
  const rows = [...section.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) => row.split(' | '))
  const said = Object.fromEntries(rows.slice(1).map(([name = '', ...cells]) => [name, cells]))
  for (const of of ['CachedKms', 'EnvelopeCipher'] as const) {
    expect(await countAll(of)).toEqual(said)
  }
})
