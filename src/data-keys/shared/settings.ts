import { copyBytes, decodeBase64, encodeUtf8, isWellFormed } from '../../bytes/index.ts'
import {
  checkNumbers,
  configError,
  describe,
  flag,
  oneOf,
  plainOptions,
  wrongOption,
} from '../../checks/index.ts'
import type { KeyValueStore } from '../../ports/index.ts'
import { SHARED_OPTIONS } from './defaults.ts'
import type { SharedDataKeysOptions } from './options.ts'
import { MAC_BYTES } from './store-auth.ts'

const METHODS = ['get', 'put', 'compareAndSwap', 'delete'] as const
/** Bytes of each name in the store. */
const NAME_BYTES = 48

/** The options, checked and complete. */
export interface SharedSettings {
  readonly store: KeyValueStore
  readonly partition: string
  /** Absent: the store is trusted. */
  readonly storeAuthKey: Uint8Array | undefined
  /** Whether one process makes a key for all: the store swaps atomically, and all see it at once. */
  readonly leases: boolean
  readonly leaseMs: number
  readonly waitMs: number
  readonly signalMs: number
  readonly storeTimeoutMs: number
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function sharedSettings(options: SharedDataKeysOptions): SharedSettings {
  const {
    store,
    partition,
    storeAuthKey,
    trustedStore = false,
    lease = 'auto',
    ...times
  } = plainOptions(options)
  const numbers = checkNumbers(SHARED_OPTIONS, times)
  const plain = plainStore(store)
  const { consistency, compareAndSwap } = plain.capabilities
  // One partition by mistake is all keys for all (W5.13).
  if (!isPartition(partition)) {
    throw wrongOption('partition', 'a string of 1 to 255 bytes', partition)
  }
  const authKey = authKeyOf(storeAuthKey, trustedStore)
  const leases = compareAndSwap && consistency === 'strong'
  oneOf('lease', lease, ['auto', 'required'])
  if (lease === 'required' && !leases) {
    throw configError(
      'lease: required needs a store that is strong and can compare and swap; use auto, or another store',
    )
  }
  return {
    store: plain,
    partition,
    storeAuthKey: authKey,
    leases,
    ...numbers,
  }
}

function isPartition(text: unknown): boolean {
  if (typeof text !== 'string' || text === '' || !isWellFormed(text)) return false
  return encodeUtf8(text).length <= 255
}

/** The store with what it declares read once: a getter may say something else later, or throw. */
function plainStore(store: KeyValueStore): KeyValueStore {
  try {
    const { consistency, compareAndSwap, minTtlMs, maxKeyBytes, maxValueBytes } = store.capabilities
    if (
      METHODS.every((method) => typeof store[method] === 'function') &&
      ['strong', 'eventual'].includes(consistency) &&
      typeof compareAndSwap === 'boolean' &&
      isAtLeast(minTtlMs, 0) &&
      isAtLeast(maxKeyBytes, NAME_BYTES) &&
      isAtLeast(maxValueBytes, 1)
    ) {
      return {
        capabilities: { consistency, compareAndSwap, minTtlMs, maxKeyBytes, maxValueBytes },
        get: (...given) => store.get(...given),
        put: (...given) => store.put(...given),
        compareAndSwap: (...given) => store.compareAndSwap(...given),
        delete: (...given) => store.delete(...given),
      }
    }
  } catch {
    // Falls through to the error.
  }
  throw wrongOption('store', 'a KeyValueStore with its methods and capabilities', store)
}

function isAtLeast(value: unknown, least: number): boolean {
  return typeof value === 'number' && value >= least
}

/**
 * Returns a copy of the key, as bytes: the caller may wipe its own before the first cache is made.
 * W5.9: either the pointer can be authenticated, or somebody has said that it need not be.
 */
function authKeyOf(
  given: Uint8Array | string | undefined,
  trustedStore: boolean,
): Uint8Array | undefined {
  flag('trustedStore', trustedStore)
  if (given === undefined) {
    if (trustedStore) return undefined
    throw configError(
      'storeAuthKey is missing: give it, or declare that only these processes can write the store by trustedStore: true',
    )
  }
  if (trustedStore)
    throw configError('storeAuthKey and trustedStore exclude each other: give one of them')
  // Hex would decode as base64 too, to other bytes than were meant.
  const isHex = typeof given === 'string' && /^(?:[0-9a-f]{2}){16,}$/i.test(given.trim())
  const bytes = typeof given === 'string' ? decodeBase64(given.trim()) : given
  if (isHex || !(bytes instanceof Uint8Array) || bytes.length < MAC_BYTES) {
    const hint = isHex ? '; it looks like hex: write the same bytes in base64' : ''
    const got =
      !isHex && bytes instanceof Uint8Array ? `${String(bytes.length)} bytes` : describe(given)
    const expected = `${String(MAC_BYTES)} random bytes or more, or their base64`
    throw configError(`storeAuthKey must be ${expected}, got ${got}${hint}`)
  }
  if (bytes.every((byte) => byte === bytes[0]))
    throw configError('storeAuthKey must be random bytes: all its bytes are equal')
  return copyBytes(bytes)
}
