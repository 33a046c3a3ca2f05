import type { DataKeySource, Defer } from '../data-keys/index.ts'
import type { KmsSignalOptions } from '../kms/index.ts'

/** Returns a source of data keys whose calls are deferred by default; a call's own `defer` comes first. */
export function deferringKeys(keys: DataKeySource, defer: NonNullable<Defer>): DataKeySource {
  const over = <O extends KmsSignalOptions>(options: O): O => {
    return options.defer === undefined ? { ...options, defer } : options
  }
  return {
    policy: keys.policy,
    active: (context, options) => keys.active(context, over(options)),
    open: (header, context, options) => keys.open(header, context, over(options)),
    openMany: (requests, options) => keys.openMany(requests, over(options)),
    byReference: (commitment, context, options) =>
      keys.byReference(commitment, context, over(options)),
    headerOf: (commitment, options) => keys.headerOf(commitment, over(options)),
    recall: (message, context, own) => keys.recall(message, context, own ?? defer),
    rewrap: (header, context, options) => keys.rewrap(header, context, over(options)),
    canOpen: (wraps) => keys.canOpen(wraps),
    clear: () => {
      keys.clear()
    },
  }
}
