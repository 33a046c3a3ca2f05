import { refuseOthers, wrongOption } from '../checks/index.ts'
import type { KeyManagementService } from '../kms/index.ts'
import type { DataKeyStore, Network, Runtime } from '../ports/index.ts'
import { webNetwork, webRuntime } from '../runtime/index.ts'
import type { CallBounds } from './ask.ts'
import { type DataKeyLimits, dataKeyLimits, optionOf } from './data-key-limits.ts'
import type { DataKeyPolicy } from './data-key-source.ts'

/** The limits, each of which may be absent. */
type GivenLimits = { readonly [Name in keyof DataKeyLimits]?: DataKeyLimits[Name] | undefined }

/** How data keys are made and opened, whatever is cached. */
export interface DataKeyOptions extends GivenLimits {
  readonly kms: KeyManagementService
  /** Context keys that every call must have and that no header carries. */
  readonly requiredContextKeys?: readonly string[]
  /** The most wraps that a header may have, 1 to 16; 5 by default. */
  readonly maxWraps?: number
  /** Where data-key records of messages by reference live. */
  readonly dataKeyStore?: DataKeyStore
  /**
   * How long one call of the KMS or of the data-key store may take before it counts as an outage, in
   * milliseconds: 15,000 by default, 1 to 900,000. Set it above the deadline of a stack below.
   */
  readonly callTimeoutMs?: number
  readonly runtime?: Runtime
  /** Timers and jitter; the platform's own by default. */
  readonly network?: Network
}

/** The options of a source, checked and complete. */
export interface SourceSettings extends CallBounds {
  readonly kms: KeyManagementService
  readonly store: DataKeyStore | undefined
  readonly limits: DataKeyLimits
  readonly policy: DataKeyPolicy
  readonly runtime: Runtime
  readonly network: Network
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function sourceSettings(options: DataKeyOptions): SourceSettings {
  const {
    kms,
    encryptForMs,
    maxMessages,
    requiredContextKeys = [],
    maxWraps,
    dataKeyStore: store,
    callTimeoutMs,
    runtime = webRuntime,
    network = webNetwork,
    ...others
  } = options
  refuseOthers(others)
  if (typeof (kms as Partial<KeyManagementService> | null)?.unwrapDataKey !== 'function') {
    throw wrongOption('kms', 'a KeyManagementService', kms)
  }
  if (store !== undefined && (store as DataKeyStore | null)?.consistency !== 'strong') {
    throw wrongOption('dataKeyStore', 'a DataKeyStore whose consistency is strong') // W4.26
  }
  return {
    kms,
    store,
    limits: dataKeyLimits(encryptForMs, maxMessages),
    policy: Object.freeze({
      requiredContextKeys: contextKeys(requiredContextKeys),
      maxWraps: wrapsOf(kms, maxWraps),
      references: store !== undefined,
    }),
    callTimeoutMs: optionOf('callTimeoutMs', callTimeoutMs),
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
function wrapsOf(kms: KeyManagementService, given: number | undefined): number {
  const maxWraps = optionOf('maxWraps', given) // W3.10
  const wraps = kms.capabilities.wraps ?? 1
  if (wraps <= maxWraps) return maxWraps
  throw wrongOption(
    'maxWraps',
    `at least ${String(wraps)}, the number of KEKs that write`,
    maxWraps,
  )
}
