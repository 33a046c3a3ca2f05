import type { KekVersion } from '../kms/index.ts'

/** Options of each call to a {@link KeyLifecycle}. */
export interface KeyLifecycleOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * What a version of a KEK can do. `enabled`: wrap and unwrap. `disabled`: nothing, until it is enabled again.
 * `pending-destruction`: nothing; it will be destroyed. `destroyed`: gone for ever.
 */
export type KeyVersionState = 'enabled' | 'disabled' | 'pending-destruction' | 'destroyed'

/**
 * Disables, enables and destroys versions of KEKs of one vendor. It is apart from the KMS so that it can have
 * credentials of its own: a process that encrypts must not be able to destroy keys.
 *
 * An empty `kekVersion` means the whole KEK. A lifecycle refuses a version of another vendor, or a step that its
 * vendor cannot make for a version alone, with `ERR_KMS_UNSUPPORTED`.
 */
export interface KeyLifecycle {
  /** The provider's name in envelopes, e.g. `gcp-kms`. */
  readonly provider: string
  /** Returns what the version can do now. */
  stateOf(version: KekVersion, options: KeyLifecycleOptions): Promise<KeyVersionState>
  /** Resolves when the version is disabled. Disabling twice is no error. */
  disable(version: KekVersion, options: KeyLifecycleOptions): Promise<void>
  /** Resolves when the version is enabled. Enabling twice is no error. */
  enable(version: KekVersion, options: KeyLifecycleOptions): Promise<void>
  /**
   * Schedules the destruction of a disabled version, and returns when the vendor destroys it, in milliseconds since
   * the epoch; `undefined` where the vendor destroys at once.
   */
  scheduleDestruction(
    version: KekVersion,
    options: KeyLifecycleOptions,
  ): Promise<{ readonly destroyAtMs?: number }>
  /**
   * Returns when the vendor last saw the version used, in milliseconds since the epoch; `undefined` where it has
   * seen none. A second witness beside the census, never the only one. Absent where a vendor does not tell.
   */
  lastUsedAtMs?(version: KekVersion, options: KeyLifecycleOptions): Promise<number | undefined>
}
