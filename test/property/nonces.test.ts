import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { importXaesKey } from '../../src/ciphers/index.ts'
import { RecordKeys } from '../../src/ciphers/record-keys.ts'
import { SubkeyPool } from '../../src/ciphers/subkeys.ts'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  type GeneratedDataKey,
  type KmsCallOptions,
  KmsError,
  type Runtime,
} from '../../src/index.ts'
import { codeOf, toHex } from '../vectors/hex.ts'
import { type Bytes, FakeRuntime, PlainKms, sequence, through } from '../unit/wire/fixture.ts'

/** How the calls of one run differ: the context picks the data key. */
type Call = readonly ['encrypt' | 'encryptMany' | 'encryptStream', 'a' | 'b']

const INTERLEAVINGS = 10_000
const plaintext = sequence(5)

/** A KMS whose answers come in the order that the scheduler picks. */
class ScheduledKms extends PlainKms {
  readonly #scheduler: fc.Scheduler

  constructor(scheduler: fc.Scheduler) {
    super()
    this.#scheduler = scheduler
  }

  override async generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey> {
    await this.#scheduler.schedule(Promise.resolve(), 'generateDataKey')
    return super.generateDataKey(options)
  }
}

async function perform(cipher: EnvelopeCipher, [method, tenant]: Call): Promise<Uint8Array[]> {
  const context = { tenant }
  if (method === 'encrypt') return [await cipher.encrypt(plaintext, { context })]
  if (method === 'encryptStream')
    return [await through(cipher.encryptStream({ context }), plaintext)]
  const items = ['a', 'b', tenant].map((one) => ({ plaintext, context: { tenant: one } }))
  const outcomes = await cipher.encryptMany(items)
  return outcomes.map((outcome) => {
    if (!outcome.ok) throw outcome.error
    return outcome.value
  })
}

/** Returns the pair that must never repeat: the data key with the record's nonce, or with the stream's salt. */
function useOf(message: Uint8Array): string {
  const { kind, commitment, headBytes } = EncryptedEnvelope.parse(message)
  return `${kind} ${toHex(commitment)} ${toHex(message.subarray(headBytes, headBytes + 24))}`
}

function repeated(messages: readonly Uint8Array[]): string[] {
  const uses = messages.map(useOf)
  return uses.filter((use, i) => uses.indexOf(use) !== i)
}

const calls = fc.array(
  fc.tuple(fc.constantFrom('encrypt', 'encryptMany', 'encryptStream'), fc.constantFrom('a', 'b')),
  { minLength: 3, maxLength: 5 },
)

const WRITERS = 100
const RECORDS = 2_000

/** A seeded generator (xorshift32) of which a prefix has 1 random byte and a suffix 2; the rest is zero. */
class NarrowRuntime implements Runtime {
  #state: number
  /** How many bytes of the next draw are random: the first one of a writer is its prefix. */
  #width = 1

  constructor(seed: number) {
    this.#state = seed
  }

  now(): number {
    return 1_767_225_600_000
  }

  randomFill(bytes: Bytes): Bytes {
    for (let i = 0; i < this.#width; i++) {
      this.#state ^= this.#state << 13
      this.#state ^= this.#state >>> 17
      this.#state ^= this.#state << 5
      bytes[i] = this.#state >>> 16
    }
    this.#width = 2
    return bytes
  }
}

/** Messages whose nonce an earlier message of any writer had. */
async function repeatsOf(seed: number): Promise<number> {
  const key = await importXaesKey(sequence(32))
  const pool = new SubkeyPool(8)
  const nothing = new Uint8Array(0)
  const seen = new Set<number>()
  for (let writer = 0; writer < WRITERS; writer++) {
    const runtime = new NarrowRuntime((seed * WRITERS + writer + 1) * 2_654_435_761)
    const keys = new RecordKeys(key, runtime, pool)
    await keys.prepare()
    for (let i = 0; i < RECORDS; i++) {
      const body = await keys.seal(nothing, nothing, nothing)
      seen.add((body[0]! << 16) | (body[12]! << 8) | body[13]!)
    }
  }
  return WRITERS * RECORDS - seen.size
}

describe('R3 the bound of docs/wire-format.md, by counting', () => {
  // Pairs of equal nonces: 100 * C(2,000, 2) / 2^16 within writers, and C(100, 2) * 2,000^2 / 2^24 between
  // them: 4,230, with a standard deviation of 276. A program apart counted 4,166 repeats over 150 seeds,
  // with one of 274. A prefix for each message would give about 1,190, and one for all writers 137,000.
  it('R3 100 writers of 2,000 records under one data key repeat as many nonces as the bound says', async () => {
    const repeats = await repeatsOf(1)
    expect(repeats).toBeGreaterThan(4_244 - 750)
    expect(repeats).toBeLessThan(4_244 + 750)
  }, 120_000)
})

describe('R3 nonces', () => {
  it('R3 10,000 interleavings repeat no nonce and no stream salt under one data key', async () => {
    let interleavings = 0
    let shared = 0
    const orders = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), calls, async (scheduler, plan) => {
        const kms = new ScheduledKms(scheduler)
        const cipher = new EnvelopeCipher({ kms, runtime: new FakeRuntime(), maxMessages: 3 })
        // The calls themselves begin in scheduled order too, between the answers of the KMS.
        const work = plan.map(async (call, i) => {
          await scheduler.schedule(Promise.resolve(), `call ${String(i)}`)
          return perform(cipher, call)
        })
        const messages = (await scheduler.waitFor(Promise.all(work))).flat()
        expect(repeated(messages)).toEqual([])
        const keys = new Set(messages.map((one) => toHex(EncryptedEnvelope.parse(one).commitment)))
        expect(keys.size).toBe(kms.calls.length)
        interleavings += 1
        shared += messages.length - keys.size
        orders.add(
          scheduler
            .report()
            .map(({ label }) => label)
            .join(),
        )
      }),
      { numRuns: INTERLEAVINGS },
    )
    expect(interleavings).toBe(INTERLEAVINGS)
    // The search is of use only if data keys were shared and the orders differed.
    expect(shared).toBeGreaterThan(INTERLEAVINGS)
    expect(orders.size).toBeGreaterThan(100)
  })

  it('R3 the check finds a generator that repeats', async () => {
    const runtime = new FakeRuntime()
    // Of a record: the prefix, then two suffixes. Of a stream: two salts.
    runtime.scripted.set(12, [sequence(12), sequence(12), sequence(12)])
    runtime.scripted.set(24, [sequence(24), sequence(24)])
    const cipher = new EnvelopeCipher({ kms: new PlainKms(), runtime })
    for (const method of ['encrypt', 'encryptStream'] as const) {
      const messages = [await perform(cipher, [method, 'a']), await perform(cipher, [method, 'a'])]
      expect(repeated(messages.flat())).toHaveLength(1)
    }
  })

  it('R3 a suffix is drawn in the turn of the call, so that nothing can come between', async () => {
    const runtime = new FakeRuntime()
    const cipher = new EnvelopeCipher({ kms: new PlainKms(), runtime })
    await cipher.encrypt(plaintext)
    const before = runtime.drawn.length
    const pending = [cipher.encrypt(plaintext), cipher.encrypt(plaintext)]
    // Two suffixes: the prefix was drawn with the data key.
    expect(runtime.drawn.slice(before).map(({ length }) => length)).toEqual([12, 12])
    expect(repeated(await Promise.all(pending))).toEqual([])
  })

  it('R3 no public method takes a nonce or a salt', async () => {
    const kms = new PlainKms()
    const chosen = { nonce: sequence(24), iv: sequence(12), salt: sequence(24), counter: 0 }
    for (const name of Object.keys(chosen)) {
      expect(codeOf(() => new EnvelopeCipher({ kms, [name]: 0 }))).toBe('ERR_KMS_CONFIG')
    }
    const fresh = (): EnvelopeCipher => {
      return new EnvelopeCipher({ kms, runtime: new FakeRuntime() })
    }
    const options = { context: { tenant: 'acme' }, aad: { row: '1' } }
    for (const [name, value] of Object.entries(chosen)) {
      const call = { ...options, [name]: value }
      const refused = { code: 'ERR_KMS_CONFIG' }
      await expect(fresh().encrypt(plaintext, call)).rejects.toMatchObject(refused)
      expect(() => fresh().encryptStream(call)).toThrow(KmsError)
      await expect(fresh().startStream(call)).rejects.toMatchObject(refused)
      const [one] = await fresh().encryptMany([{ plaintext, ...call }])
      expect(one).toMatchObject({ ok: false, error: refused })
      const many = fresh().encryptMany([{ plaintext }], { [name]: value })
      await expect(many).rejects.toMatchObject(refused)
    }
  })
})
