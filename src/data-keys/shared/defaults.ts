import type { Bounds } from '../../checks/index.ts'

/** Every default of the shared level, once. The JSON schema is made of it. */
export const SHARED_OPTIONS: Bounds<'leaseMs' | 'waitMs' | 'signalMs' | 'storeTimeoutMs'> = {
  /** How long a process may take to make a key before another one does, ms. */
  leaseMs: { standard: 2_000, least: 1, most: 60_000 },
  /** How long a call waits for the process that makes a key, ms; 0: not at all. */
  waitMs: { standard: 5_000, least: 0, most: 120_000 },
  /** How often a cache in use looks whether others invalidated something, ms. */
  signalMs: { standard: 10_000, least: 1, most: 3_600_000 },
  /** How long one call of the store may take, ms. */
  storeTimeoutMs: { standard: 500, least: 1, most: 60_000 },
}
