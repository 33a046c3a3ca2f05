import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  type EnvelopeCipher,
  isKmsError,
  type KmsCallOptions,
  MultiKms,
  type UnwrappedDataKey,
  type WrappedKey,
} from '../../src/index.ts'
import { createLocalKms } from '../../src/providers/local/index.ts'
import { MemoryDataKeyStore } from '../../src/stores/index.ts'
import { type Bytes, coldReader, cut, drain } from '../unit/wire/fixture.ts'
import { toHex, utf8 } from '../vectors/hex.ts'
import { type Expectation, type KitCase, type KitRange, readCase } from './read-case.ts'

/** The codes of each class of the kit. */
const CODES: Readonly<Record<Expectation, readonly string[]>> = {
  success: [],
  malformed: ['ERR_WIRE_MALFORMED'],
  refused: ['ERR_WIRE_VERSION_REFUSED', 'ERR_WIRE_KIND_REFUSED', 'ERR_WIRE_LIMIT_EXCEEDED'],
  'unknown-key': ['ERR_ENVELOPE_UNKNOWN_KEY'],
  'unknown-reference': ['ERR_ENVELOPE_UNKNOWN_REFERENCE'],
  'no-version': ['ERR_KMS_KEY_NOT_FOUND', 'ERR_DECRYPT_FAILED'],
  'decrypt-failure': ['ERR_DECRYPT_FAILED'],
}

/** The KEKs of a file in its order; counts what would go over a network. */
class KitKms extends MultiKms {
  readonly calls: string[] = []

  constructor(keks: KitCase['keks']) {
    const names = [...new Set(keks.map(({ kekId }) => kekId))]
    const read = names.map((kekId) =>
      createLocalKms({ kekId, versions: keks.filter((kek) => kek.kekId === kekId) }),
    )
    super({ read })
  }

  override async unwrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<UnwrappedDataKey> {
    this.calls.push('unwrap')
    return super.unwrapDataKey(wraps, options)
  }
}

/** The bytes that one way of reading released, and the code it ended with. */
interface Reading {
  readonly released: Uint8Array
  readonly code: string | undefined
}

/** One file has 4 MiB, which as single bytes takes longer than all the others together. */
const SINGLE_BYTES_MOST = 200_000

/** Sizes of pieces that fall on no boundary of the format. */
const ODD_PIECES = [1, 2, 3, 5, 61, 997, 16_399, 16_401, 30_011]
const folder = new URL('./vectors/', import.meta.url)
const names = readdirSync(folder).map((file) => file.replace(/\.txt$/, ''))

async function setUp(one: KitCase): Promise<{ reader: EnvelopeCipher; kms: KitKms }> {
  const kms = new KitKms(one.keks)
  const dataKeyStore = new MemoryDataKeyStore()
  for (const { commitment, record } of one.store) {
    const key = `ek1/${Buffer.from(commitment).toString('base64url')}`
    await dataKeyStore.putIfAbsent(key, record)
  }
  return { kms, reader: coldReader(kms, { dataKeyStore, maxWraps: one.maxWraps }) }
}

async function readingOf(work: Promise<Uint8Array>): Promise<Reading> {
  try {
    return { released: await work, code: undefined }
  } catch (error) {
    if (!isKmsError(error)) throw error
    return { released: new Uint8Array(0), code: error.code }
  }
}

/** A case read in memory: alone, and in a batch. */
async function readWhole(one: KitCase): Promise<Reading[]> {
  const { reader, kms } = await setUp(one)
  const options = { context: one.context, aad: one.aad, kinds: one.accept }
  const { message } = one
  if (typeof message === 'string') {
    const text = reader.decryptText(message, options)
    return [await readingOf(text.then((plaintext) => utf8(plaintext)))]
  }
  const whole = await readingOf(reader.decrypt(message, options))
  if (one.noKek) expect(kms.calls).toEqual([])
  const again = await readingOf(reader.decrypt(message, options))
  const batch = (await setUp(one)).reader
  const { kinds, ...item } = options
  const [outcome] = await batch.decryptMany([{ envelope: message, ...item }], { kinds })
  const inBatch = await readingOf(
    outcome!.ok ? Promise.resolve(outcome!.value) : Promise.reject(outcome!.error),
  )
  return [whole, again, inBatch]
}

async function readStream(
  one: KitCase,
  message: Bytes,
  sizes: readonly number[],
): Promise<Reading> {
  const { reader, kms } = await setUp(one)
  const options = { context: one.context, aad: one.aad, kinds: one.accept }
  const { released, error } = await drain(reader.decryptStream(options), cut(message, sizes))
  if (one.noKek) expect(kms.calls).toEqual([])
  if (error === undefined) return { released, code: undefined }
  if (!isKmsError(error)) throw error
  return { released, code: error.code }
}

/** A range that succeeds gives exactly its bytes, and says what it proved. */
async function checkRange(one: KitCase, range: KitRange): Promise<void> {
  const { reader, kms } = await setUp(one)
  const read = async (start: number, end: number): Promise<Bytes> => one.read(start, end)
  const options = { context: one.context, aad: one.aad, kinds: one.accept }
  let verified: boolean | undefined
  const work = reader.decryptRange(read, range, options).then((found) => {
    verified = found.lengthVerified
    return found.plaintext
  })
  checkReading(one, await readingOf(work))
  expect(verified).toBe(one.expect === 'success' ? one.lengthVerified : undefined)
  if (one.noKek) expect(kms.calls).toEqual([])
}

function checkReading(one: KitCase, { released, code }: Reading): void {
  if (one.expect === 'success') expect(code).toBeUndefined()
  else expect(CODES[one.expect]).toContain(code)
  expect(released.length).toBeLessThanOrEqual(one.plaintext.length)
  if (one.expect === 'success') expect(released.length).toBe(one.plaintext.length)
  if (released.length !== one.plaintext.length) return
  expect(createHash('sha256').update(released).digest('hex')).toBe(one.plaintext.sha256)
}

describe('test kit (R35)', () => {
  it('has cases of every class', () => {
    const classes = new Set(
      names.map((name) => readCase(new URL(`${name}.txt`, folder).pathname).expect),
    )
    expect([...classes].sort()).toEqual(Object.keys(CODES).sort())
    expect(names.length).toBeGreaterThan(280)
  })

  it.each(names)('%s', async (name) => {
    const one = readCase(new URL(`${name}.txt`, folder).pathname)
    if (one.range !== undefined) {
      await checkRange(one, one.range)
      return
    }
    for (const reading of await readWhole(one)) {
      // In memory it is all or nothing.
      if (reading.code !== undefined) expect(reading.released).toHaveLength(0)
      if (one.expect === 'success') checkReading(one, reading)
      else expect(CODES[one.expect]).toContain(reading.code)
    }
    if (typeof one.message === 'string') return
    const readings: Reading[] = []
    const ways = [ODD_PIECES, [one.message.length + 1]]
    if (one.message.length <= SINGLE_BYTES_MOST) ways.push([1])
    for (const sizes of ways) {
      readings.push(await readStream(one, one.message, sizes))
    }
    for (const reading of readings) checkReading(one, reading)
    // All of them released the same bytes, as far as they came.
    const longest = readings.reduce((a, b) =>
      b.released.length > a.released.length ? b : a,
    ).released
    expect(longest.length).toBe(one.plaintext.length)
    for (const { released } of readings) {
      expect(toHex(released)).toBe(toHex(longest.slice(0, released.length)))
    }
  })
})
