import {
  type Bytes,
  concatBytes,
  decodeBase64,
  decodeBase64Url,
  encodeBase64Url,
  encodeU64,
  encodeUtf8,
} from '../bytes/index.ts'
import { wrongOption } from '../checks/index.ts'
import { authenticateStored, importStoreAuthKey } from '../ciphers/index.ts'
import type { StoredValue } from './record-source.ts'
import { rawBytes, type StoredMessage } from './stored-value.ts'

const LABEL = 'edge-kms/v1/rotation-fingerprint'
const BYTES = 32
const MODULUS = 1n << BigInt(8 * BYTES)

/** A value of which a rewrap changes the wraps, and nothing else. */
export interface FingerprintedValue {
  readonly source: string
  readonly id: string
  readonly field: string
  readonly value: StoredValue
  /** The message that the value holds, if it holds one. */
  readonly message: StoredMessage | undefined
  /** Only the beginning of the value is known, so its body is left out. */
  readonly isPrefix: boolean
}

/**
 * Makes keyed fingerprints of what a rotation must not change: HMAC-SHA-256 over source, id, field and all of a
 * value but its wraps. Sums of them do not depend on the order. Nobody without the key learns from a sum whether
 * two values are equal.
 */
export class Fingerprints {
  readonly #bytes: Bytes
  #key: CryptoKey | undefined

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(key: Uint8Array | string) {
    const bytes = typeof key === 'string' ? decodeBase64(key) : key
    if (!(bytes instanceof Uint8Array) || bytes.length < BYTES)
      throw wrongOption('fingerprintKey', 'at least 32 random bytes, or their base64', key)
    this.#bytes = new Uint8Array(bytes)
  }

  /** Returns the fingerprint of one value as a number below 2^256. */
  async of(value: FingerprintedValue): Promise<bigint> {
    // The key is shared, never the promise: another request must not wait on it (Workers).
    this.#key ??= await importStoreAuthKey(this.#bytes)
    const parts = [...[value.source, value.id, value.field].map(encodeUtf8), ...unchanged(value)]
    const framed = parts.flatMap((part) => [encodeU64(part.length), part])
    return toNumber(await authenticateStored(this.#key, LABEL, concatBytes(...framed)))
  }
}

/** Returns a sum with more fingerprints in it, as text of 43 characters. */
export function addFingerprints(sum: string | undefined, added: readonly bigint[]): string {
  const start = sum === undefined ? 0n : toNumber(decodeBase64Url(sum) ?? new Uint8Array())
  return toText(added.reduce((total, one) => (total + one) % MODULUS, start))
}

/** The parts of a value that a rewrap leaves as they are. */
function unchanged({ value, message, isPrefix }: FingerprintedValue): readonly Bytes[] {
  if (message === undefined) return [encodeUtf8('value'), rawBytes(value)]
  const { head, body, form } = message
  const key = head.header?.fixedBytes ?? head.commitment
  return [encodeUtf8(`${head.kind} ${form}`), key, ...(isPrefix ? [] : [body])]
}

function toNumber(bytes: Uint8Array): bigint {
  let number = 0n
  for (const byte of bytes) number = (number << 8n) | BigInt(byte)
  return number
}

function toText(number: bigint): string {
  const bytes = new Uint8Array(BYTES)
  let rest = number
  for (let i = BYTES - 1; i >= 0; i -= 1) {
    bytes[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return encodeBase64Url(bytes)
}
