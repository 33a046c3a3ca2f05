import { integer, refuseOthers, wrongOption } from '../checks/index.ts'
import { type KeyManagementService } from '../kms/index.ts'
import type { DataKeyStore, Runtime } from '../ports/index.ts'
import { webRuntime } from '../runtime/index.ts'
import { LIMITS } from '../wire/index.ts'
import { type DataKeyLimits, dataKeyLimits } from './data-key-limits.ts'
import type { DataKeyPolicy } from './data-key-source.ts'

/** Options of {@link KmsDataKeys}. */
export interface KmsDataKeysOptions extends Partial<DataKeyLimits> {
  readonly kms: KeyManagementService
  /** Context keys that every message must have and that no header carries. */
  readonly requiredContextKeys?: readonly string[]
  /** The most wraps that a header may have, 1 to 16; 5 by default. */
  readonly maxWraps?: number
  /** Where data-key records of messages by reference live. */
  readonly dataKeyStore?: DataKeyStore
  readonly runtime?: Runtime
}

/** The options of a source, checked and complete. */
export interface SourceSettings {
  readonly kms: KeyManagementService
  readonly store: DataKeyStore | undefined
  readonly limits: DataKeyLimits
  readonly policy: DataKeyPolicy
  readonly runtime: Runtime
}

/** @throws KmsError `ERR_KMS_CONFIG` */
export function sourceSettings(options: KmsDataKeysOptions): SourceSettings {
  const {
    kms,
    encryptForMs,
    maxMessages,
    maxBytes,
    requiredContextKeys = [],
    maxWraps = LIMITS.defaultMaxWraps,
    dataKeyStore: store,
    runtime = webRuntime,
    ...others
  } = options
  refuseOthers(others)
  if (typeof (kms as Partial<KeyManagementService> | null)?.unwrapDataKey !== 'function') {
    throw wrongOption('kms')
  }
  if (!Array.isArray(requiredContextKeys)) throw wrongOption('requiredContextKeys')
  if (store !== undefined && (store as DataKeyStore | null)?.consistency !== 'strong') {
    throw wrongOption('dataKeyStore') // W4.26
  }
  const policy = Object.freeze({
    requiredContextKeys: Object.freeze([...(requiredContextKeys as readonly string[])]),
    maxWraps: integer('maxWraps', maxWraps, 1, LIMITS.maxWraps), // W3.10
    references: store !== undefined,
  })
  const limits = dataKeyLimits(encryptForMs, maxMessages, maxBytes)
  return { kms, store, limits, policy, runtime }
}
