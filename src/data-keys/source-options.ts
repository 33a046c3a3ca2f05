import {
  checkNumbers,
  demandMethods,
  integer,
  plainOptions,
  wrongNumber,
  wrongOption,
} from '../checks/index.ts'
import type { KeyManagementService, KmsCapabilities } from '../kms/index.ts'
import type { DataKeyStore, Network, Runtime } from '../ports/index.ts'
import { webNetwork, webRuntime } from '../runtime/index.ts'
import type { CallBounds } from './ask.ts'
import type { KmsCacheConfig } from './cache/config.ts'
import type { FreshnessTimes } from './cache/freshness.ts'
import type { DataKeyLimits } from './data-key-limits.ts'
import type { DataKeyPolicy } from './data-key-source.ts'
import { DATA_KEY_OPTIONS, REFRESH_AHEAD_SHARE } from './defaults.ts'
import type { SharedDataKeys } from './shared-level.ts'

/** The limits, each of which may be absent. */
type GivenLimits = { readonly [Name in keyof DataKeyLimits]?: DataKeyLimits[Name] | undefined }

/** Options for making and opening data keys, with or without a cache. */
export interface DataKeyOptions extends GivenLimits {
  readonly kms: KeyManagementService
  /** Context keys that every call must have and that no header carries. */
  readonly requiredContextKeys?: readonly string[]
  /** The most wraps that a header may have, 1 to 16; 5 by default. */
  readonly maxWraps?: number
  /** The store of data-key records, for messages by reference. */
  readonly dataKeyStore?: DataKeyStore
  /**
   * How long one call of the KMS or of the data-key store may take before it counts as an outage, in milliseconds:
   * 15,000 by default, 1 to 900,000. If the KMS is a stack, set it above the stack's deadline.
   */
  readonly callTimeoutMs?: number
  readonly runtime?: Runtime
  /** Timers and jitter; the platform's own by default. */
  readonly network?: Network
}

/** The options of a source and its cache, checked and complete. */
export interface SourceSettings extends CallBounds {
  readonly store: DataKeyStore | undefined
  readonly capabilities: KmsCapabilities
  readonly limits: DataKeyLimits
  readonly policy: DataKeyPolicy
  readonly maxEntries: number
  readonly refreshAheadMs: number
  /** The times of cached keys, for readers and for writers. */
  readonly reading: FreshnessTimes
  readonly writing: FreshnessTimes
  readonly shared: SharedDataKeys | undefined
  readonly runtime: Runtime
  readonly network: Network
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function sourceSettings(options: DataKeyOptions & KmsCacheConfig): SourceSettings {
  const {
    kms,
    requiredContextKeys = [],
    dataKeyStore: store,
    refreshAheadMs: aheadMs,
    shared,
    runtime = webRuntime,
    network = webNetwork,
    ...given
  } = plainOptions(options)
  const numbers = checkNumbers(DATA_KEY_OPTIONS, given)
  demandMethods('runtime', runtime, ['now', 'randomFill'])
  demandMethods('network', network, ['after', 'jitter'])
  const { encryptForMs, maxMessages, maxWraps, ttlMs, maxStaleMs } = numbers
  if (typeof (kms as Partial<KeyManagementService> | null)?.unwrapDataKey !== 'function') {
    throw wrongOption('kms', 'a KeyManagementService', kms)
  }
  if (store !== undefined && (store as DataKeyStore | null)?.consistency !== 'strong') {
    throw wrongOption('dataKeyStore', 'a DataKeyStore whose consistency is strong') // W4.26
  }
  if (shared !== undefined && typeof (shared as SharedDataKeys | null)?.attach !== 'function') {
    throw wrongOption('shared', 'the result of sharedDataKeys()', shared)
  }
  const usualMs = Math.floor(ttlMs * REFRESH_AHEAD_SHARE)
  const refreshAheadMs = integer('refreshAheadMs', aheadMs ?? usualMs, 0, ttlMs)
  const times = { ttlMs, refreshAheadMs, maxStaleMs, encryptForMs }
  return {
    kms,
    store,
    capabilities: kms.capabilities,
    limits: { encryptForMs, maxMessages },
    policy: Object.freeze({
      requiredContextKeys: contextKeys(requiredContextKeys),
      maxWraps: wrapsOf(kms, maxWraps),
      references: store !== undefined,
    }),
    callTimeoutMs: numbers.callTimeoutMs,
    maxEntries: numbers.maxEntries,
    refreshAheadMs,
    reading: { ...times, encryptForMs: Infinity },
    writing: { ...times, maxStaleMs: numbers.maxStaleWriteMs },
    shared,
    runtime,
    network,
  }
}

/** Keys that a context can have: a key that none can have would refuse every call, and only then. */
function contextKeys(given: readonly string[]): readonly string[] {
  const keys: readonly unknown[] = Array.isArray(given) ? [...(given as unknown[])] : [undefined]
  const legal = (key: unknown): boolean =>
    typeof key === 'string' && key !== '' && !key.toLowerCase().startsWith('edge-kms:')
  if (keys.every(legal)) return Object.freeze(keys as string[])
  throw wrongOption('requiredContextKeys', 'an array of context keys')
}

/** A data key with more wraps than a header may have would fail each write, after a call to each KMS. */
function wrapsOf({ capabilities: { wraps = 1 } }: KeyManagementService, maxWraps: number): number {
  if (wraps <= maxWraps) return maxWraps // W3.10
  const expected = `at least ${String(wraps)}, the number of KEKs that write`
  throw wrongNumber('maxWraps', expected, maxWraps)
}
