import { wrongOption } from '../../checks/index.ts'
import type { SharedDataKeys, SharedLevel } from '../shared-level.ts'
import type { CacheParts } from './parts.ts'
import type { ReaderKeys } from './reader-keys.ts'
import type { WriterKeys } from './writer-keys.ts'

/**
 * Attaches a shared level, if there is one, to the parts of a cache.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function attachShared(
  shared: SharedDataKeys | undefined,
  { settings, times, factory }: CacheParts,
  readers: ReaderKeys,
  writers: WriterKeys,
  drop: () => void,
): SharedLevel | undefined {
  if (shared === undefined) return undefined
  if (typeof (shared as Partial<SharedDataKeys> | null)?.attach !== 'function') {
    throw wrongOption('shared', 'the result of sharedDataKeys()', shared)
  }
  return shared.attach({
    runtime: settings.runtime,
    network: settings.network,
    limits: settings.limits,
    policy: settings.policy,
    capabilities: settings.kms.capabilities,
    refreshAheadMs: times.writing.refreshAheadMs,
    maxEntries: times.maxEntries,
    get entries() {
      return readers.held.size
    },
    canOpen: (wraps) => factory.canOpen(wraps),
    isUsedUp: (commitment) => writers.counts.isUsedUp(commitment),
    make: (context, options) => factory.make(context, options),
    open: (header, context, options) => readers.openAgain(header, context, options),
    drop,
  })
}
