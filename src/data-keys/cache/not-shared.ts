import type { SharedDataKeys } from '../shared-level.ts'

/** The shared level of a cache that shares with nobody. */
export const NOT_SHARED: SharedDataKeys = {
  attach: (host) => ({
    obtain: (context, options) => host.make(context, options),
    look: () => undefined,
    signal: () => Promise.resolve(),
    clear: () => undefined,
    stats: () => ({
      adoptions: 0,
      adoptionsRefused: 0,
      leases: 0,
      leaseWaits: 0,
      storeReads: 0,
      storeWrites: 0,
      storeFailures: 0,
      signals: 0,
    }),
  }),
}
