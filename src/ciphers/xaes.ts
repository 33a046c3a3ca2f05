import type { Bytes } from '../bytes/index.ts'

/** Sizes of c2sp.org/XAES-256-GCM, in bytes. */
export const XAES = {
  nonceBytes: 24,
  /** The first half of the nonce: it selects a subkey. */
  prefixBytes: 12,
  /** The second half: the nonce of AES-256-GCM under that subkey. */
  suffixBytes: 12,
  tagBytes: 16,
} as const

const BLOCK_BYTES = 16

/** One key of XAES-256-GCM. It derives subkeys and cannot be exported. */
export interface XaesKey {
  /** AES-256 as the block cipher of CMAC: AES-CBC, for encryption only. */
  readonly cipher: CryptoKey
  /** The CMAC subkey K1 of NIST SP 800-38B, the same for every nonce. */
  readonly k1: Bytes
}

/** Imports a key of 32 bytes: one import and one block (W4.32). The bytes are copied at call time. */
export async function importXaesKey(raw: Bytes): Promise<XaesKey> {
  return xaesKeyOf(await crypto.subtle.importKey('raw', raw, 'AES-CBC', false, ['encrypt']))
}

/**
 * Returns the XAES key of a key that is imported already: one block.
 *
 * @param cipher - AES-CBC with 256 bits, for `encrypt`
 */
export async function xaesKeyOf(cipher: CryptoKey): Promise<XaesKey> {
  const k1 = new Uint8Array(BLOCK_BYTES)
  await encryptBlock(cipher, k1, k1)
  double(k1)
  return { cipher, k1 }
}

/**
 * Derives the AES-256-GCM key of one nonce prefix (W4.33): NIST SP 800-108r1 in counter mode with
 * CMAC-AES256, two blocks that do not depend on each other.
 *
 * @param prefix - 12 bytes
 */
export async function deriveSubkey({ cipher, k1 }: XaesKey, prefix: Bytes): Promise<CryptoKey> {
  const raw = new Uint8Array(2 * BLOCK_BYTES)
  try {
    await Promise.all(
      [1, 2].map((counter) => {
        const at = (counter - 1) * BLOCK_BYTES
        return encryptBlock(
          cipher,
          macInput(k1, counter, prefix),
          raw.subarray(at, at + BLOCK_BYTES),
        )
      }),
    )
    return await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt'])
  } finally {
    raw.fill(0)
  }
}

/** K1 XOR (counter as u16, 'X', 0x00, prefix): the one block that CMAC encrypts. */
function macInput(k1: Bytes, counter: number, prefix: Bytes): Bytes {
  const block = new Uint8Array([0, counter, 0x58, 0, ...prefix])
  for (let i = 0; i < BLOCK_BYTES; i++) block[i] = (block[i] as number) ^ (k1[i] as number)
  return block
}

/** Encrypts one block into `out`. CBC with a zero IV adds a block of padding, which is wiped as well. */
async function encryptBlock(cipher: CryptoKey, block: Bytes, out: Bytes): Promise<void> {
  const algorithm = { name: 'AES-CBC', iv: new Uint8Array(BLOCK_BYTES) }
  const answer = new Uint8Array(await crypto.subtle.encrypt(algorithm, cipher, block))
  out.set(answer.subarray(0, BLOCK_BYTES))
  answer.fill(0)
}

/** Doubles in GF(2^128), in place and without a branch on the secret bits. */
function double(block: Bytes): void {
  const carry = (block[0] as number) >>> 7
  for (let i = 0; i < BLOCK_BYTES; i++) {
    block[i] = ((block[i] as number) << 1) | ((block[i + 1] ?? 0) >>> 7)
  }
  block[BLOCK_BYTES - 1] = (block[BLOCK_BYTES - 1] as number) ^ (0x87 & -carry)
}
