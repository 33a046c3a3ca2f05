import { describe, expect, it } from 'vitest'
import {
  EncryptedEnvelope,
  EnvelopeCipher,
  isKmsError,
  type KeyManagementService,
  MultiKms,
} from '../../../src/index.ts'
import { createLocalKms } from '../../../src/providers/local/index.ts'
import { MemoryDataKeyStore } from '../../../src/stores/index.ts'
import { toHex, utf8 } from '../../vectors/hex.ts'
import { type Bytes, coldReader, OPTIONS, PlainKms, sequence, setUp, through } from './fixture.ts'

const plaintext = utf8('4111 1111')
const KINDS = ['record', 'record-by-reference', 'stream', 'stream-by-reference'] as const
const localKms = (kekId: string): KeyManagementService =>
  createLocalKms({ kekId, versions: [{ version: 1, key: sequence(32, 1) }] })

/** Flips every bit, and gives the places of those that a reader with an empty cache still opens. */
async function acceptedFlips(
  message: Bytes,
  open: (changed: Bytes) => Promise<Bytes>,
): Promise<Set<number>> {
  const accepted = new Set<number>()
  expect(toHex(await open(message))).toBe(toHex(plaintext))
  for (let bit = 0; bit < message.length * 8; bit++) {
    const changed = message.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    const opened = await open(changed).catch((error: unknown) => {
      if (!isKmsError(error)) throw error
    })
    if (opened === undefined) continue
    // A message that still opens has the same plaintext: no flip changes it.
    expect(toHex(opened)).toBe(toHex(plaintext))
    accepted.add(bit >> 3)
  }
  return accepted
}

/** Returns the offsets of a text or field in a message, by its last occurrence. */
function placesOf(message: Bytes, field: Uint8Array): number[] {
  const at = Buffer.from(message).lastIndexOf(field)
  return Array.from({ length: field.length }, (_, i) => at + i)
}

describe('R2: flip every bit of every message', () => {
  it.each(['record', 'stream'] as const)(
    '%s under one authenticated wrap: none opens',
    async (kind) => {
      const kms = localKms('app')
      const cipher = coldReader(kms)
      const message =
        kind === 'record'
          ? await cipher.encrypt(plaintext, OPTIONS)
          : await through(cipher.encryptStream(OPTIONS), plaintext)
      const read = { ...OPTIONS, kinds: KINDS }
      const accepted = await acceptedFlips(message, (changed) =>
        coldReader(kms).decrypt(changed, read),
      )
      expect([...accepted]).toEqual([])
    },
  )

  it('by reference, message and record of the store: none opens', async () => {
    const kms = localKms('app')
    const dataKeyStore = new MemoryDataKeyStore()
    const message = await coldReader(kms, { dataKeyStore }).encrypt(plaintext, {
      ...OPTIONS,
      form: 'reference',
    })
    const read = { ...OPTIONS, kinds: KINDS }
    const inMessage = await acceptedFlips(message, (changed) =>
      coldReader(kms, { dataKeyStore }).decrypt(changed, read),
    )
    expect([...inMessage]).toEqual([])
    const name = EncryptedEnvelope.parse(message).dataKeyStoreKey
    const inRecord = await acceptedFlips((await dataKeyStore.get(name))!, async (changed) => {
      const changedStore = new MemoryDataKeyStore()
      await changedStore.putIfAbsent(name, changed)
      return coldReader(kms, { dataKeyStore: changedStore }).decrypt(message, read)
    })
    expect([...inRecord]).toEqual([])
  })

  it('a version that the KMS does not authenticate: it opens, and proves nothing of that version', async () => {
    const { cipher, kms } = setUp()
    kms.version = 'version'
    const message = await cipher.encrypt(plaintext, OPTIONS)
    const accepted = await acceptedFlips(message, (changed) =>
      coldReader(kms).decrypt(changed, OPTIONS),
    )
    expect([...accepted].sort((a, b) => a - b)).toEqual(placesOf(message, utf8('version')))
  })

  it('the wrap of another KEK: the message opens under ours, and is lost to the other', async () => {
    const ours = localKms('app')
    const other = new PlainKms()
    other.kekIds = ['other-kek']
    other.version = 'version'
    const both = new EnvelopeCipher({ kms: new MultiKms({ read: [ours, other] }) })
    const message = await both.encrypt(plaintext, OPTIONS)
    const wraps = EncryptedEnvelope.parse(message).wraps
    const accepted = await acceptedFlips(message, (changed) =>
      coldReader(ours).decrypt(changed, OPTIONS),
    )
    const listed = [
      ...placesOf(message, utf8('plain')), // provider: the wrap is nobody's now
      ...placesOf(message, utf8('other-kek')), // kekId: the wrap is of another key, or of none
      ...placesOf(message, utf8('version')), // kekVersion: a claim that only an unwrap can prove
      ...placesOf(message, wraps[1]!.wrapped), // the wrapped DEK: the other KEK opens it no more
    ]
    for (const at of accepted) expect(listed, String(at)).toContain(at)
    for (const at of placesOf(message, wraps[1]!.wrapped)) expect(accepted.has(at)).toBe(true)
  })
})
