import type { KeyValueStore } from '../../ports/index.ts'

/** Options of `sharedDataKeys`. Times are integers, in milliseconds. */
export interface SharedDataKeysOptions {
  /**
   * The store of wrapped data keys and of the pointers to the active ones. Its declared consistency decides how
   * few KMS calls are made: see `lease`.
   */
  readonly store: KeyValueStore
  /** The partition of the keys: processes share only with those that name the same partition. */
  readonly partition: string
  /**
   * 32 random bytes or more, or their standard base64, the same in every process. Keep it like a password: an
   * attacker who has it and can write the store can plant a data key that they know. The bytes are copied: wipe
   * your own. Excludes `trustedStore`.
   */
  readonly storeAuthKey?: Uint8Array | string
  /** Instead of a `storeAuthKey`: nobody but these processes can write the store. */
  readonly trustedStore?: boolean
  /**
   * `auto`: on a strong store with compare-and-swap, one process makes a key while the others wait for it. On any
   * other store, each process that starts before a key is visible makes its own. `required`: any other store is an
   * error.
   */
  readonly lease?: 'auto' | 'required'
  /** How long a process may take to make a key before another one does: 2,000 by default, at most 60,000. */
  readonly leaseMs?: number
  /**
   * How long a call waits for the process that makes a key before it makes one itself: 5,000 by default, at most
   * 120,000; 0: it does not wait. Keep it above twice `leaseMs`; otherwise the death of one process costs more than
   * one key.
   */
  readonly waitMs?: number
  /**
   * How often a cache in use checks whether another process invalidated something: 10,000 by default, at most
   * 3,600,000.
   */
  readonly signalMs?: number
  /** How long one call of the store may take: 500 by default, at most 60,000. */
  readonly storeTimeoutMs?: number
}
