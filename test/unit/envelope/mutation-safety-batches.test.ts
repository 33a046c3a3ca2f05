import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../../src/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { codeOfAsync } from '../../vectors/hex.ts'
import { type Bytes, coldReader, OPTIONS, PlainKms, sequence, setUp } from '../wire/fixture.ts'
import { CountingKms } from './fixture.ts'

/** More than two groups of items that are in flight at once. */
const COUNT = 150
const KINDS = ['record', 'record-by-reference', 'stream'] as const
const plaintextOf = (i: number): Bytes => sequence(50, i)

interface Item {
  plaintext?: Bytes
  envelope?: Bytes
  context: Record<string, string>
  aad: Record<string, string>
}

const itemOf = (i: number, envelope = new Uint8Array(0)): Required<Item> => {
  return {
    plaintext: plaintextOf(i),
    envelope: envelope.slice(),
    context: { ...OPTIONS.context },
    aad: { ...OPTIONS.aad },
  }
}

/** Everything that the caller owns, the list itself included. */
function spoil(items: Item[]): void {
  for (const item of items) {
    item.plaintext?.fill(0xee)
    item.envelope?.fill(0xee)
    for (const map of [item.context, item.aad]) {
      for (const key of Object.keys(map)) map[key] = 'changed'
      map['more'] = '1'
    }
    item.context = {}
    item.aad = {}
    item.plaintext = new Uint8Array(1)
    item.envelope = new Uint8Array(1)
  }
  items.length = 1
}

function valuesOf(outcomes: readonly Outcome<Bytes>[]): Bytes[] {
  return outcomes.map((outcome) => {
    if (!outcome.ok) throw outcome.error
    return outcome.value
  })
}

describe.each(['cold', 'warm'])('the caller uses its batch again at once, %s', (state) => {
  it('R3 encryptMany encrypts what was there when it was called', async () => {
    const { cipher, kms } = setUp()
    if (state === 'warm') await cipher.encrypt(plaintextOf(0), OPTIONS)
    const items = Array.from({ length: COUNT }, (_, i) => itemOf(i))
    const own = items.map(({ envelope: _, ...item }) => item)
    const pending = cipher.encryptMany(own)
    spoil(items)
    spoil(own)
    const envelopes = valuesOf(await pending)
    expect(envelopes).toHaveLength(COUNT)
    const reader = coldReader(kms)
    for (const [i, envelope] of envelopes.entries()) {
      expect(await reader.decrypt(envelope, OPTIONS)).toEqual(plaintextOf(i))
    }
  })

  it.each(['inline', 'reference'] as const)('R3 decryptMany is unaffected, %s', async (form) => {
    const kms = new PlainKms()
    const dataKeyStore = new MemoryDataKeyStore()
    const writer = setUp({ kms, dataKeyStore }).cipher
    const items: Required<Item>[] = []
    for (let i = 0; i < COUNT; i++) {
      items.push(itemOf(i, await writer.encrypt(plaintextOf(i), { ...OPTIONS, form })))
    }
    const reader = state === 'warm' ? writer : coldReader(kms, { dataKeyStore })
    const own = items.map(({ plaintext: _, ...item }) => item)
    const pending = reader.decryptMany(own, { kinds: KINDS })
    spoil(items)
    spoil(own)
    const plaintexts = valuesOf(await pending)
    expect(plaintexts).toEqual(Array.from({ length: COUNT }, (_, i) => plaintextOf(i)))
  })

  it('R3 decrypt by reference is unaffected: the context is that of the call', async () => {
    const kms = new PlainKms()
    const dataKeyStore = new MemoryDataKeyStore()
    const writer = setUp({ kms, dataKeyStore, requiredContextKeys: ['tenant'] }).cipher
    const message = await writer.encrypt(plaintextOf(1), { ...OPTIONS, form: 'reference' })
    const reader = state === 'warm' ? writer : coldReader(kms, { dataKeyStore })
    const own = itemOf(1, message)
    const { context: given, aad } = own
    const pending = reader.decrypt(own.envelope, { context: given, aad })
    spoil([own])
    expect(await pending).toEqual(plaintextOf(1))
    // Nor can a context become right after the call.
    const late: Record<string, string> = { tenant: 'other' }
    const refused = codeOfAsync(() => reader.decrypt(message, { ...OPTIONS, context: late }))
    late['tenant'] = 'acme'
    expect(await refused).toBe('ERR_DECRYPT_FAILED')
  })

  it.each(['inline', 'reference'] as const)('R3 decryptStored is unaffected, %s', async (form) => {
    const kms = new PlainKms()
    const dataKeyStore = new MemoryDataKeyStore()
    const writer = setUp({ kms, dataKeyStore }).cipher
    const message = await writer.encrypt(plaintextOf(1), { ...OPTIONS, form })
    const reader = state === 'warm' ? writer : coldReader(kms, { dataKeyStore })
    const own = itemOf(1, message)
    const pending = reader.decryptStored(own.envelope, { aad: own.aad })
    spoil([own])
    const { plaintext, context } = await pending
    expect(plaintext).toEqual(plaintextOf(1))
    expect({ ...context }).toEqual(OPTIONS.context)
  })
})

describe('W1.10: maps are refused before any I/O', () => {
  it.each<[string, object]>([
    ['a lone surrogate', { row: '\ud800' }],
    ['a number', { row: 42 }],
    ['a Map', new Map([['row', '42']])],
  ])('an aad with %s costs no KMS call, by any method', async (_, aad) => {
    const kms = new CountingKms(new PlainKms())
    const envelope = await setUp({ kms }).cipher.encrypt(plaintextOf(1), OPTIONS)
    kms.calls.length = 0
    const call = { ...OPTIONS, aad }
    const code = 'ERR_CONTEXT_INVALID'
    expect(await codeOfAsync(() => coldReader(kms).encrypt(plaintextOf(1), call))).toBe(code)
    expect(await codeOfAsync(() => coldReader(kms).decrypt(envelope, call))).toBe(code)
    expect(
      await codeOfAsync(() => coldReader(kms).decryptStored(envelope, { aad: call.aad })),
    ).toBe(code)
    const range = async (): Promise<Uint8Array> => envelope
    const read = (): Promise<unknown> => coldReader(kms).decryptRange(range, { start: 0 }, call)
    expect(await codeOfAsync(read)).toBe(code)
    for (const outcome of [
      ...(await coldReader(kms).decryptMany([{ envelope, ...call }])),
      ...(await coldReader(kms).encryptMany([{ plaintext: plaintextOf(1), ...call }])),
    ]) {
      expect(!outcome.ok && outcome.error.code).toBe(code)
    }
    expect(kms.calls).toEqual([])
  })
})
