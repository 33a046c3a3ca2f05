import type { Bytes } from '../src/bytes/index.ts'
import type { EnvelopeCipher, Outcome } from '../src/index.ts'
import { aad, newAesKey, newCipher, options, pattern } from './fixtures.ts'
import type { BenchCase } from './suite.ts'

const BATCH = 64
const SIZES = [
  { label: '256 B', bytes: 256, batched: true, rounds: 21 },
  { label: '64 KiB', bytes: 65_536, batched: true, rounds: 11 },
  { label: '16 MiB', bytes: 16_777_216, batched: false, rounds: 9 },
] as const

type Work = () => Promise<unknown>

/** One platform AEAD call, and an array as long as the envelope: what no library can go below. */
interface Floor {
  readonly encrypt: Work
  readonly decrypt: Work
}

export async function recordCases(): Promise<readonly BenchCase[]> {
  const cipher = newCipher()
  const key = await newAesKey()
  const cases: BenchCase[] = []
  for (const { label, bytes, batched, rounds } of SIZES) {
    const plaintext = pattern(bytes)
    const envelope = await cipher.encrypt(plaintext, options)
    const floor = await recordFloor(key, plaintext, envelope.length)
    const encrypt: Work = () => cipher.encrypt(plaintext, options)
    const decrypt: Work = () => cipher.decrypt(envelope, options)
    const add = (name: string, ours: Work, floorWork: Work, operations: number): void => {
      const gate = { most: operations === 1 ? 1.3 : 1.5 }
      cases.push({ name, operations, bytes, rounds, gate, ours, floor: floorWork })
    }
    add(`encrypt ${label}`, encrypt, floor.encrypt, 1)
    add(`decrypt ${label}`, decrypt, floor.decrypt, 1)
    if (!batched) continue
    add(`encrypt ${label} x64`, together(encrypt), together(floor.encrypt), BATCH)
    add(`decrypt ${label} x64`, together(decrypt), together(floor.decrypt), BATCH)
    if (bytes > 256) continue
    const many = manyCases(cipher, plaintext, envelope)
    add(`encryptMany ${label} x64`, many.encrypt, together(floor.encrypt), BATCH)
    add(`decryptMany ${label} x64`, many.decrypt, together(floor.decrypt), BATCH)
  }
  return cases
}

function together(work: Work): Work {
  return () => Promise.all(Array.from({ length: BATCH }, work))
}

function manyCases(cipher: EnvelopeCipher, plaintext: Bytes, envelope: Bytes): Floor {
  const { context } = options
  const plaintexts = Array.from({ length: BATCH }, () => ({ ...options, plaintext, context }))
  const envelopes = Array.from({ length: BATCH }, () => ({ ...options, envelope, context }))
  return {
    encrypt: async () => demandOk(await cipher.encryptMany(plaintexts)),
    decrypt: async () => demandOk(await cipher.decryptMany(envelopes)),
  }
}

/** A batch that failed would be a fast one. */
function demandOk(outcomes: readonly Outcome<Bytes>[]): void {
  for (const outcome of outcomes) if (!outcome.ok) throw outcome.error
}

async function recordFloor(key: CryptoKey, plaintext: Bytes, length: number): Promise<Floor> {
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
    return new Uint8Array(
      await crypto.subtle.decrypt(algorithm, key, message.subarray(bodyAt + 12)),
    )
  }
  return { encrypt, decrypt }
}
