import { type Bytes, standsAt } from '../bytes/index.ts'
import { contextEquals, type EncryptionContext } from '../kms/index.ts'
import { COMMITMENT_AT, HEAD_AT } from '../wire/index.ts'
import { BoundedMap } from './bounded-map.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import { within } from './failed-headers.ts'

/** A key and since when it is held. */
export interface HeldKey {
  readonly key: DataEncryptionKey
  readonly cachedAtMs: number
}

/**
 * Verified data keys by their commitment, which binds all else: salt, age, context (W6.4). The
 * bytes of the wraps are no part of it. The map's key is a number, the commitment's first 48 bits,
 * because a string of 32 bytes costs more to make and to hash than a record to decrypt; what is
 * found is then compared whole, so that two keys with one number only push each other out.
 */
export class OpenedKeys {
  readonly #keys: BoundedMap<number, HeldKey>
  readonly #ttlMs: number

  constructor(maxEntries: number, ttlMs: number) {
    this.#keys = new BoundedMap(maxEntries)
    this.#ttlMs = ttlMs
  }

  get size(): number {
    return this.#keys.size
  }

  get evictions(): number {
    return this.#keys.evictions
  }

  add(key: DataEncryptionKey, nowMs: number): void {
    this.#keys.set(first48Bits(key.header.commitment, 0), { key, cachedAtMs: nowMs })
  }

  /** The key whose commitment stands at this place, if it is held and fresh. Its context is not looked at. */
  find(bytes: Bytes, at: number, nowMs: number): DataEncryptionKey | undefined {
    const key = this.#candidate(bytes, at, nowMs)
    return key && standsAt(bytes, at, key.header.commitment) ? key : undefined
  }

  /** The key whose whole header, of which the commitment is a part, stands in this message. */
  recall(message: Bytes, nowMs: number): DataEncryptionKey | undefined {
    const key = this.#candidate(message, COMMITMENT_AT, nowMs)
    return key && standsAt(message, HEAD_AT, key.header.bytes) ? key : undefined
  }

  #candidate(bytes: Bytes, at: number, nowMs: number): DataEncryptionKey | undefined {
    const held = this.#keys.get(first48Bits(bytes, at))
    return held && this.isFresh(held, nowMs) ? held.key : undefined
  }

  isFresh(held: HeldKey, nowMs: number): boolean {
    return within(held.cachedAtMs, nowMs, this.#ttlMs)
  }

  clear(): void {
    this.#keys.clear()
  }
}

/** Whether a key belongs to the context that a caller gives. */
export function isOfContext(
  key: DataEncryptionKey,
  context: EncryptionContext | undefined,
): boolean {
  return contextEquals(context, key.context)
}

/** NaN where the bytes end too early, which no key has. */
function first48Bits(bytes: Bytes, at: number): number {
  const high = (bytes[at] as number) * 0x100 + (bytes[at + 1] as number)
  const low =
    ((bytes[at + 2] as number) << 24) |
    ((bytes[at + 3] as number) << 16) |
    ((bytes[at + 4] as number) << 8) |
    (bytes[at + 5] as number)
  return high * 0x1_0000_0000 + (low >>> 0)
}
