import { copyBytes, encodeUtf8, isWellFormed } from '../../bytes/index.ts'
import { configError, integer, refuseOthers, wrongOption } from '../../checks/index.ts'
import type { KeyValueStore } from '../../ports/index.ts'
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
    leaseMs = 2_000,
    waitMs = 5_000,
    signalMs = 10_000,
    storeTimeoutMs = 500,
    ...others
  } = options
  refuseOthers(others)
  const plain = plainStore(store)
  const { consistency, compareAndSwap } = plain.capabilities
  // One partition by mistake is all keys for all (W5.13).
  if (!isPartition(partition)) {
    throw wrongOption('partition', 'a text of 1 to 255 bytes', partition)
  }
  checkTrust(storeAuthKey, trustedStore)
  const leases = compareAndSwap && consistency === 'strong'
  if (!['auto', 'required'].includes(lease)) throw wrongOption('lease')
  if (lease === 'required' && !leases) {
    throw configError('lease is required, and this store is not strong or cannot compare and swap')
  }
  return {
    store: plain,
    partition,
    // Now: the caller may wipe its own before the first cache is made.
    storeAuthKey: storeAuthKey && copyBytes(storeAuthKey),
    leases,
    leaseMs: integer('leaseMs', leaseMs, 1, 60_000),
    waitMs: integer('waitMs', waitMs, 0, 120_000),
    signalMs: integer('signalMs', signalMs, 1, 3_600_000),
    storeTimeoutMs: integer('storeTimeoutMs', storeTimeoutMs, 1, 60_000),
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
  throw wrongOption('store')
}

function isAtLeast(value: unknown, least: number): boolean {
  return typeof value === 'number' && value >= least
}

/** W5.9: either the pointer can be authenticated, or somebody has said that it need not be. */
function checkTrust(storeAuthKey: Uint8Array | undefined, trustedStore: boolean): void {
  if (typeof trustedStore !== 'boolean') throw wrongOption('trustedStore')
  if (storeAuthKey === undefined) {
    if (!trustedStore)
      throw configError('storeAuthKey is missing, and trustedStore is not declared')
    return
  }
  if (trustedStore) throw configError('storeAuthKey and trustedStore contradict each other')
  if (!(storeAuthKey instanceof Uint8Array) || storeAuthKey.length < MAC_BYTES) {
    throw configError('storeAuthKey must be 32 bytes or more')
  }
  if (storeAuthKey.every((byte) => byte === storeAuthKey[0])) {
    throw configError('storeAuthKey is not random')
  }
}
