import type { Bytes } from '../src/bytes/index.ts'
import type { EnvelopeCipher, Outcome } from '../src/index.ts'
import { aad, newAesKey, newCipher, newOptions, pattern } from './fixtures.ts'
import type { BenchCase, Work } from './suite.ts'

const BATCH = 64
const SIZES = [
  { label: '256 B', bytes: 256, batched: true, rounds: 61 },
  { label: '64 KiB', bytes: 65_536, batched: true, rounds: 31 },
  { label: '16 MiB', bytes: 16_777_216, batched: false, rounds: 15 },
] as const

/** Another library that does the same to a record. */
export interface Peer {
  readonly name: string
  readonly encrypt: (plaintext: Bytes) => Promise<string>
  readonly decrypt: (sealed: string) => Promise<unknown>
}

export interface Pair {
  readonly encrypt: Work
  readonly decrypt: Work
}

export async function recordCases(peers: readonly Peer[]): Promise<readonly BenchCase[]> {
  const cipher = newCipher()
  const key = await newAesKey()
  const cases: BenchCase[] = []
  for (const { label, bytes, batched, rounds } of SIZES) {
    const plaintext = pattern(bytes)
    const envelope = await cipher.encrypt(plaintext, newOptions())
    const floor = await floorOf(key, plaintext, envelope.length)
    const ours: Pair = {
      encrypt: () => cipher.encrypt(plaintext, newOptions()),
      decrypt: () => cipher.decrypt(envelope, newOptions()),
    }
    const others = await peerPairs(bytes === 256 ? peers : [], plaintext)
    for (const verb of ['encrypt', 'decrypt'] as const) {
      const common = { bytes, rounds }
      const alone = { floor: floor[verb], ours: ours[verb], ...named(others, (pair) => pair[verb]) }
      const gate = bytes === 256 ? { gate: { most: 1.3 } } : {}
      cases.push({ ...common, ...gate, name: `${verb} ${label}`, operations: 1, sides: alone })
      if (!batched) continue
      const batch = { ...common, operations: BATCH, ...(bytes === 256 && { gate: { most: 1.5 } }) }
      const inBatches = {
        floor: together(floor[verb]),
        ours: together(ours[verb]),
        ...named(others, (pair) => together(pair[verb])),
      }
      cases.push({ ...batch, name: `${verb} ${label} x64`, sides: inBatches })
      if (bytes !== 256) continue
      const sides = {
        floor: together(floor[verb]),
        ours: manyOf(cipher, plaintext, envelope)[verb],
      }
      cases.push({ ...batch, name: `${verb}Many ${label} x64`, sides })
    }
  }
  return cases
}

function together(work: Work): Work {
  return () => Promise.all(Array.from({ length: BATCH }, work))
}

function manyOf(cipher: EnvelopeCipher, plaintext: Bytes, envelope: Bytes): Pair {
  const items = <T extends object>(item: T): (T & ReturnType<typeof newOptions>)[] =>
    Array.from({ length: BATCH }, () => ({ ...item, ...newOptions() }))
  return {
    encrypt: async () => {
      demandOk(await cipher.encryptMany(items({ plaintext })))
    },
    decrypt: async () => {
      demandOk(await cipher.decryptMany(items({ envelope })))
    },
  }
}

/** A batch that failed would be a fast one. */
function demandOk(outcomes: readonly Outcome<Bytes>[]): void {
  for (const outcome of outcomes) if (!outcome.ok) throw outcome.error
}

/**
 * One platform AEAD call, and nonce and ciphertext where they stand in an envelope of this length:
 * what no library can go below.
 */
export async function floorOf(key: CryptoKey, plaintext: Bytes, length: number): Promise<Pair> {
  const bodyAt = length - plaintext.length - 28
  const encrypt = async (): Promise<Bytes> => {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const algorithm = { name: 'AES-GCM', iv, additionalData: aad, tagLength: 128 }
    const sealing = crypto.subtle.encrypt(algorithm, key, plaintext)
    const out = new Uint8Array(length)
    out.set(iv, bodyAt)
    out.set(new Uint8Array(await sealing), bodyAt + 12)
    return out
  }
  const message = await encrypt()
  const decrypt = async (): Promise<Bytes> => {
    const iv = message.subarray(bodyAt, bodyAt + 12)
    const algorithm = { name: 'AES-GCM', iv, additionalData: aad, tagLength: 128 }
    const sealed = message.subarray(bodyAt + 12)
    return new Uint8Array(await crypto.subtle.decrypt(algorithm, key, sealed))
  }
  return { encrypt, decrypt }
}

async function peerPairs(
  peers: readonly Peer[],
  plaintext: Bytes,
): Promise<readonly { readonly name: string; readonly pair: Pair }[]> {
  const pairs = peers.map(async ({ name, encrypt, decrypt }) => {
    const sealed = await encrypt(plaintext)
    return { name, pair: { encrypt: () => encrypt(plaintext), decrypt: () => decrypt(sealed) } }
  })
  return Promise.all(pairs)
}

function named(
  pairs: readonly { readonly name: string; readonly pair: Pair }[],
  workOf: (pair: Pair) => Work,
): Readonly<Record<string, Work>> {
  return Object.fromEntries(pairs.map(({ name, pair }) => [name, workOf(pair)]))
}
