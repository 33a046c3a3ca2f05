// One AES-GCM ciphertext that opens under two keys: GCM does not commit to its key. Two blocks of
// ciphertext, of which the second is solved for so that both keys give the same tag.
import { createCipheriv } from 'node:crypto'

// Elements of GF(2^128) as in NIST SP 800-38D: bit 0 is the leftmost, x^128 = 1 + x + x^2 + x^7.
const R = 0xe1n << 120n
const toNumber = (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
const toBlock = (number) => Buffer.from(number.toString(16).padStart(32, '0'), 'hex')

function multiply(a, b) {
  let product = 0n
  let shifted = b
  for (let bit = 127n; bit >= 0n; bit--) {
    if (((a >> bit) & 1n) === 1n) product ^= shifted
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ R : shifted >> 1n
  }
  return product
}

/** a^(2^128 - 2). */
function invert(a) {
  let result = 1n << 127n
  let power = a
  for (let i = 0; i < 127; i++) {
    power = multiply(power, power)
    result = multiply(result, power)
  }
  return result
}

function encryptBlock(key, block) {
  const cipher = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
  return cipher.update(block)
}

/** Ciphertext of 32 bytes and tag that open under both keys with this nonce and aad. */
export function sealUnderTwoKeys(keys, nonce, aad) {
  const padded = Buffer.concat([aad, Buffer.alloc((16 - (aad.length % 16)) % 16)])
  const lengths = Buffer.alloc(16)
  lengths.writeBigUInt64BE(BigInt(aad.length * 8), 0)
  lengths.writeBigUInt64BE(256n, 8)
  const first = Buffer.alloc(16)

  const [a, b] = keys.map((key) => {
    const h = toNumber(encryptBlock(key, Buffer.alloc(16)))
    const mask = toNumber(encryptBlock(key, Buffer.concat([nonce, Buffer.from([0, 0, 0, 1])])))
    let hash = 0n
    for (let at = 0; at < padded.length; at += 16) {
      hash = multiply(hash ^ toNumber(padded.subarray(at, at + 16)), h)
    }
    hash = multiply(hash ^ toNumber(first), h)
    // tag = ((hash + second) h + lengths) h + mask = second h^2 + rest
    const square = multiply(h, h)
    const rest = multiply(hash, square) ^ multiply(toNumber(lengths), h) ^ mask
    return { square, rest }
  })
  const second = multiply(a.rest ^ b.rest, invert(a.square ^ b.square))
  const tag = multiply(second, a.square) ^ a.rest
  return Buffer.concat([first, toBlock(second), toBlock(tag)])
}
