// Messages of wire format v1 from the text of docs/wire-format.md, with node:crypto only: on purpose
// independent of src, and able to write what src refuses to write.
import { createCipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'

export const utf8 = (text) => Buffer.from(text, 'utf8')
export const join = (...parts) => Buffer.concat(parts)
export const sha256 = (data) => createHash('sha256').update(data).digest()
/** Bytes that a label names: the kit is the same on every run. */
export const drawn = (label, length) =>
  createHash('shake256', { outputLength: length }).update(`edge-kms kit: ${label}`).digest()

export function unsigned(value, width) {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(BigInt(value))
  return out.subarray(8 - width)
}
export function prefixed(value, width) {
  const bytes = typeof value === 'string' ? utf8(value) : value
  return join(unsigned(bytes.length, width), bytes)
}

/** Entries in the order given: what `ctx` never writes. */
export const rawMap = (entries) =>
  join(unsigned(entries.length, 2), ...entries.flat().map((text) => prefixed(text, 2)))

/** ctx(map) of section 1. */
export function ctx(map) {
  const entries = Object.entries(map)
  entries.sort(([a], [b]) => Buffer.compare(utf8(a), utf8(b)))
  return rawMap(entries)
}

/** The KEKs that a reader of the kit is configured with, unless a case says otherwise. */
export const KEK = { kekId: 'app', kekVersion: '1', key: drawn('kek app 1', 32) }
export const OTHER_KEK = { kekId: 'other', kekVersion: '1', key: drawn('kek other 1', 32) }

/**
 * A data key (section 2). A given part replaces what would be computed, so that exactly one thing
 * is wrong and all that depends on it agrees.
 */
export function makeKey(given = {}) {
  const context = given.context ?? { tenant: 'acme' }
  const storedMap = given.storedMap ?? context
  const dek = given.dek ?? drawn('dek', 32)
  const salt = given.salt ?? drawn('salt', 32)
  const createdAt = given.createdAt ?? 1_767_225_600_000n
  const stored = given.stored ?? ctx(storedMap)
  const flags = given.flags ?? (stored.length > 2 ? 1 : 0)
  const info = join(
    utf8('edge-kms/v1/data-key\0'),
    unsigned(createdAt, 8),
    sha256(ctx(context)),
    unsigned(flags, 1),
    sha256((flags & 1) === 1 ? stored : ctx({})),
  )
  const okm = Buffer.from(hkdfSync('sha512', dek, salt, info, 96))
  const k = { ...context, 'edge-kms:dk': `${salt.toString('base64url')}.${createdAt}` }
  return {
    ...{ context, dek, salt, createdAt, stored, flags, k },
    recordKey: okm.subarray(0, 32),
    streamKey: okm.subarray(32, 64),
    commitment: okm.subarray(64, 96),
  }
}

export function seal(key, nonce, plaintext, aad = Buffer.alloc(0)) {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(aad)
  return join(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** AES-256 of one block. */
export const block = (key, bytes) =>
  createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(bytes)
const xor = (a, b) => Buffer.from(a.map((byte, i) => byte ^ b[i]))

/** L doubled in GF(2^128) (W4.32). */
export function doubled(l) {
  const number = BigInt(`0x${Buffer.from(l).toString('hex')}`)
  const k1 = ((number << 1n) & (2n ** 128n - 1n)) ^ (number >> 127n === 1n ? 0x87n : 0n)
  return Buffer.from(k1.toString(16).padStart(32, '0'), 'hex')
}

/** The key of one nonce prefix (W4.33). A given part replaces one of the derivation. */
export function subkeyOf(key, prefix, given = {}) {
  const l = block(key, Buffer.alloc(16))
  const k1 = (given.k1Of ?? doubled)(l)
  const input = (counter) =>
    join(unsigned(counter, 2), Buffer.from([given.label ?? 0x58, 0]), prefix)
  return join(...(given.counters ?? [1, 2]).map((counter) => block(key, xor(k1, input(counter)))))
}

/** XAES-256-GCM: ciphertext and tag. */
export function sealXaes(key, nonce, plaintext, aad, given) {
  return seal(subkeyOf(key, nonce.subarray(0, 12), given), nonce.subarray(12), plaintext, aad)
}

/** A local wrap (W3.18, W3.19). */
export function wrapOf(key, given = {}) {
  const { kekId, kekVersion, key: kek } = given.kek ?? KEK
  const nonce = drawn(`wrap nonce ${kekId} ${kekVersion}`, 24)
  const aad = join(
    utf8('edge-kms/v1/local-wrap\0'),
    prefixed(kekId, 2),
    prefixed(kekVersion, 2),
    ctx(given.k ?? key.k),
  )
  const wrapped = join(nonce, sealXaes(kek, nonce, given.dek ?? key.dek, aad))
  return { provider: 'local', kekId, kekVersion, wrapped }
}

export const wrapBytes = ({ provider, kekId, kekVersion, wrapped }) =>
  join(prefixed(provider, 1), prefixed(kekId, 2), prefixed(kekVersion, 2), prefixed(wrapped, 2))

/** A key header (section 3); `given` replaces fields in the bytes only. */
export function headerOf(key, wraps = [wrapOf(key)], given = {}) {
  const flags = given.flags ?? key.flags
  return join(
    given.salt ?? key.salt,
    given.commitment ?? key.commitment,
    unsigned(given.createdAt ?? key.createdAt, 8),
    unsigned(flags, 1),
    (flags & 1) === 1 ? prefixed(given.stored ?? key.stored, 2) : Buffer.alloc(0),
    unsigned(given.count ?? wraps.length, 1),
    ...wraps.map(wrapBytes),
  )
}

export const message = (kind, ...parts) => join(Buffer.from([0x65, 0x6b, 0x01, kind]), ...parts)

export const AAD = { table: 'users', column: 'ssn', row: '42' }
export const PLAINTEXT = utf8('4111 1111')

export const recordAad = (aad = AAD) => join(utf8('edge-kms/v1/record\0'), ctx(aad))

/** nonce, ciphertext, tag (4.1). */
export function recordBody(key, given = {}) {
  const nonce = given.nonce ?? drawn('record nonce', 24)
  const aad = given.rawAad ?? recordAad(given.aad)
  const plaintext = given.plaintext ?? PLAINTEXT
  return join(nonce, sealXaes(given.key ?? key.recordKey, nonce, plaintext, aad, given.xaes))
}

/** Keys of a stream (4.2). */
export function streamKeys(key, given = {}) {
  const salt = given.salt ?? drawn('stream salt', 24)
  const context = join(utf8(given.label ?? 'edge-kms/v1/stream\0'), ctx(given.aad ?? AAD))
  const info = join(utf8('c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0'), salt, context)
  const prk = given.prk ?? key.streamKey
  const block = (...parts) =>
    createHmac('sha512', prk)
      .update(join(...parts))
      .digest()
  const first = block(info, Buffer.from([1]))
  const okm = join(first, block(first, info, Buffer.from([2])))
  return {
    salt,
    aeadKey: okm.subarray(0, 32),
    baseNonce: okm.subarray(32, 44),
    commitment: okm.subarray(44, 76),
  }
}

export function chunkNonce(baseNonce, index) {
  const nonce = Buffer.from(baseNonce)
  const low = nonce.readBigUInt64BE(4) ^ BigInt(index)
  nonce.writeBigUInt64BE(low, 4)
  return nonce
}

/**
 * A chunk whose ciphertext is all zero, and the plaintext that makes it so: a message of such
 * chunks compresses to almost nothing, which keeps the kit small.
 */
export function zeroChunk(keys, nonce, length) {
  const plaintext = seal(keys.aeadKey, nonce, Buffer.alloc(length)).subarray(0, length)
  return { plaintext, sealed: seal(keys.aeadKey, nonce, plaintext) }
}

export const CHUNK = 16_384

/** A stream of this many bytes as separate parts, to be cut, dropped and put in another order. */
export function streamParts(key, length, given = {}) {
  const keys = given.keys ?? streamKeys(key, given)
  const chunks = []
  for (let i = 0; i * CHUNK <= length; i++) {
    chunks.push(zeroChunk(keys, chunkNonce(keys.baseNonce, i), Math.min(CHUNK, length - i * CHUNK)))
  }
  return {
    keys,
    header: join(keys.salt, keys.commitment),
    chunks: chunks.map(({ sealed }) => sealed),
    texts: chunks.map(({ plaintext }) => plaintext),
    plaintext: join(...chunks.map(({ plaintext }) => plaintext)),
  }
}

/** The bytes with one bit changed. */
export function flipped(bytes, at, bit = 0) {
  const out = Buffer.from(bytes)
  out[at < 0 ? out.length + at : at] ^= 1 << bit
  return out
}
