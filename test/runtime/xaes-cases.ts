import { shake128 } from '@noble/hashes/sha3.js'
import {
  deriveSubkey,
  importXaesKey,
  openRecord,
  sealRecord,
  XAES,
  type XaesKey,
} from '../../src/ciphers/index.ts'
import vectors from '../vectors/xaes.json' with { type: 'json' }
import { fromHex } from './fixtures.ts'
import type { RuntimeCase } from './suite.ts'

type Bytes = Uint8Array<ArrayBuffer>

const ROUNDS = 10_000
/** The first bytes of SHAKE-128 of nothing: the source of the accumulated cases. */
const SHAKE_BEGINS = '7f9c2ba4e88f827d616045507605853e'

const utf8 = (text: string): Bytes => new Uint8Array(new TextEncoder().encode(text))
const toHex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

function same(got: string, expected: string, what: string): void {
  if (got !== expected) throw new Error(`${what}: expected ${expected}, got ${got}`)
}

/** AES of one block: CBC with a zero IV. */
async function encryptBlock({ cipher }: XaesKey, block: Bytes): Promise<string> {
  const algorithm = { name: 'AES-CBC', iv: new Uint8Array(16) }
  return toHex(new Uint8Array(await crypto.subtle.encrypt(algorithm, cipher, block)).slice(0, 16))
}

/** Ciphertext and tag. */
async function seal(key: XaesKey, nonce: Bytes, plaintext: Bytes, aad: Bytes): Promise<Bytes> {
  const prefix = nonce.slice(0, XAES.prefixBytes)
  const subkey = await deriveSubkey(key, prefix)
  const sealed = await sealRecord(subkey, prefix, nonce.slice(XAES.prefixBytes), plaintext, aad)
  same(toHex(await openRecord(subkey, sealed, aad)), toHex(plaintext), 'opened')
  return sealed.slice(XAES.nonceBytes)
}

/** The public vectors of c2sp.org/XAES-256-GCM over the source: the package exports no raw XAES. */
export function xaesCases(): readonly RuntimeCase[] {
  const published = vectors.vectors.map((vector, i): RuntimeCase => {
    const nonce = utf8(vector.nonceText)
    const aad = utf8(vector.aadText)
    const plaintext = utf8(vector.plaintextText)
    return {
      name: `W4.32, W4.33, W4.5: XAES vector ${String(i + 1)}: L, K1, subkey, ciphertext`,
      run: async () => {
        const key = await importXaesKey(fromHex(vector.key))
        same(await encryptBlock(key, new Uint8Array(16)), vector.L, 'L')
        same(toHex(key.k1), vector.K1, 'K1')
        // A subkey cannot be exported: what it seals is compared with what the published one seals.
        const raw = fromHex(vector.subkey)
        const gcm = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt'])
        const suffix = nonce.slice(XAES.prefixBytes)
        const algorithm = { name: 'AES-GCM', iv: suffix, additionalData: aad }
        const direct = await crypto.subtle.encrypt(algorithm, gcm, plaintext)
        same(toHex(new Uint8Array(direct)), vector.ciphertext, 'under the published subkey')
        same(toHex(await seal(key, nonce, plaintext, aad)), vector.ciphertext, 'ciphertext')
      },
    }
  })
  return [
    ...published,
    { name: 'W4.32, W4.33, W4.5: XAES 10,000 accumulated cases', run: accumulated },
  ]
}

async function accumulated(): Promise<void> {
  const source = shake128.create()
  const take = (length: number): Bytes => new Uint8Array(source.xof(length))
  const begin = shake128.create().xof(16)
  same(toHex(begin), SHAKE_BEGINS, 'SHAKE-128')
  const sum = shake128.create()
  for (let i = 0; i < ROUNDS; i++) {
    const key = await importXaesKey(take(32))
    const nonce = take(XAES.nonceBytes)
    const plaintext = take(take(1)[0] as number)
    const aad = take(take(1)[0] as number)
    sum.update(await seal(key, nonce, plaintext, aad))
  }
  same(toHex(sum.xof(32)), vectors.accumulated[ROUNDS], 'hash of all ciphertexts')
}
