import { type Bytes, equalBytes, standsAt } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'
import { contextEquals, type EncryptionContext } from '../kms/index.ts'
import { COMMITMENT_AT, HEAD_AT, type KeyHeader } from '../wire/index.ts'
import { BoundedMap } from './bounded-map.ts'
import type { DataEncryptionKey } from './data-encryption-key.ts'
import type { Defer } from './data-key-source.ts'
import type { Freshness, HeldKey } from './held-key.ts'

/**
 * Verified data keys by their commitment, which binds all else: salt, age, context (W6.4). The
 * bytes of the wraps are no part of it. The map's key is a number, the commitment's first 48 bits,
 * because a string of 32 bytes costs more to make and to hash than a record to decrypt; what is
 * found is then compared whole, so that two keys with one number only push each other out.
 */
export class OpenedKeys {
  readonly keys: BoundedMap<number, HeldKey>
  readonly #freshness: Freshness
  /** Another one after each `clear`: what was asked for before is not held after. */
  epoch = 0
  hits = 0
  misses = 0

  constructor(maxEntries: number, freshness: Freshness) {
    this.keys = new BoundedMap(maxEntries)
    this.#freshness = freshness
  }

  /** Holds a key, unless it was asked for in another epoch. */
  add(key: DataEncryptionKey, epoch: number | undefined, nowMs: number): boolean {
    if (epoch !== this.epoch) return false
    this.keys.set(first48Bits(key.header.commitment, 0), this.#freshness.hold(key, nowMs))
    return true
  }

  /**
   * The key of a header. Its wraps may differ: they are not part of its identity.
   *
   * @throws KmsError `ERR_DECRYPT_FAILED` where what the commitment binds differs: no message with
   * this header can be genuine, so no KMS is asked
   */
  held(
    header: KeyHeader,
    context: EncryptionContext | undefined,
    nowMs: number,
    defer: Defer,
  ): DataEncryptionKey | undefined {
    const key = this.#find(header.commitment, nowMs, defer)
    if (key === undefined) {
      this.misses += 1
      return undefined
    }
    if (!isOfContext(key, context) || !equalBytes(header.fixedBytes, key.header.fixedBytes)) {
      throw new KmsError('ERR_DECRYPT_FAILED')
    }
    this.hits += 1
    return key
  }

  /** The key that a message by reference names. */
  named(
    commitment: Bytes,
    context: EncryptionContext | undefined,
    nowMs: number,
    defer: Defer,
  ): DataEncryptionKey | undefined {
    const key = this.#find(commitment, nowMs, defer)
    return key && this.#hit(key, context)
  }

  /** The key whose whole header, of which the commitment is a part, stands in this message. */
  recall(
    message: Bytes,
    context: EncryptionContext | undefined,
    nowMs: number,
    defer: Defer,
  ): DataEncryptionKey | undefined {
    const key = this.#candidate(message, COMMITMENT_AT, nowMs, defer)
    if (!key || !standsAt(message, HEAD_AT, key.header.bytes, key.headerWords)) return undefined
    return this.#hit(key, context)
  }

  /** What is held under the number of the commitment that stands there, in its time or past it. */
  peek(bytes: Bytes, at: number): HeldKey | undefined {
    return this.keys.get(first48Bits(bytes, at))
  }

  clear(): void {
    this.epoch += 1
    this.keys.clear()
  }

  #find(commitment: Bytes, nowMs: number, defer: Defer): DataEncryptionKey | undefined {
    const key = this.#candidate(commitment, 0, nowMs, defer)
    return key && equalBytes(commitment, key.header.commitment) ? key : undefined
  }

  #candidate(bytes: Bytes, at: number, nowMs: number, defer: Defer): DataEncryptionKey | undefined {
    const held = this.peek(bytes, at)
    return held && this.#freshness.isUsable(held, nowMs, { defer }) ? held.key : undefined
  }

  #hit(
    key: DataEncryptionKey,
    context: EncryptionContext | undefined,
  ): DataEncryptionKey | undefined {
    if (!isOfContext(key, context)) return undefined
    this.hits += 1
    return key
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
  let number = 0
  for (let i = at; i < at + 6; i++) number = number * 0x100 + (bytes[i] as number)
  return number
}
