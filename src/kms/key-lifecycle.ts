import type { KekVersion } from './wrapped-key.ts'

/** Options of each call to a {@link KeyLifecycle}. */
export interface KeyLifecycleOptions {
  readonly signal?: AbortSignal | undefined
}

/**
 * The state of a version of a KEK. `enabled`: wrap and unwrap. `disabled`: nothing, until it is enabled again.
 * `pending-destruction`: nothing; the vendor will destroy it. `destroyed`: gone for ever.
 */
export type KeyVersionState = 'enabled' | 'disabled' | 'pending-destruction' | 'destroyed'

/** When the vendor destroys a version. */
export interface ScheduledDestruction {
  /** Milliseconds since the epoch. Absent: the version was destroyed at once, and nothing brings it back. */
  readonly destroyAtMs?: number
}

/**
 * Disables, enables and destroys versions of one KEK of one vendor. It is separate from the KMS so that it can have
 * its own credentials: a process that encrypts must not be able to destroy keys.
 *
 * A lifecycle acts on the one KEK that its options name, never on one that only an envelope names. An empty
 * `kekVersion` means the whole KEK. It refuses a version of another KEK, and a step that its vendor cannot make or
 * that would skip one, with `ERR_KMS_UNSUPPORTED`.
 *
 * | Provider | One version | The whole KEK |
 * |---|---|---|
 * | `aws-kms` | refused: a KEK keeps all its old material | disable, enable, destroy after 7 to 30 days |
 * | `gcp-kms` | disable, enable, destroy after the KEK's own duration | refused: retire each version |
 * | `azure-key-vault` | disable, enable; no destruction | disable, enable, soft deletion |
 * | `vault-transit` | the lowest first: disable, enable, destroy at once | refused: retire each version |
 * | `local` | by your own functions | refused: retire each version |
 */
export interface KeyLifecycle {
  /** The provider's name in envelopes, e.g. `gcp-kms`. */
  readonly provider: string
  /**
   * Returns what the version can do now.
   *
   * @throws KmsError `ERR_KMS_KEY_NOT_FOUND` for a version that the vendor does not know
   */
  stateOf(version: KekVersion, options?: KeyLifecycleOptions): Promise<KeyVersionState>
  /** Resolves when the version is disabled. Disabling twice is not an error. */
  disable(version: KekVersion, options?: KeyLifecycleOptions): Promise<void>
  /** Resolves when a disabled version is enabled. Enabling twice is not an error. */
  enable(version: KekVersion, options?: KeyLifecycleOptions): Promise<void>
  /**
   * Schedules the destruction of a disabled version. A version whose destruction is scheduled stays as it is.
   *
   * @throws KmsError `ERR_KMS_UNSUPPORTED` for a version that is enabled, or that the vendor cannot destroy alone
   */
  scheduleDestruction(
    version: KekVersion,
    options?: KeyLifecycleOptions,
  ): Promise<ScheduledDestruction>
  /**
   * Cancels a scheduled destruction. The version stays disabled.
   *
   * @throws KmsError `ERR_KMS_UNSUPPORTED` where nothing is scheduled, or the vendor destroys at once
   */
  cancelDestruction(version: KekVersion, options?: KeyLifecycleOptions): Promise<void>
  /**
   * Returns when the vendor last saw the version used, in milliseconds since the epoch by the vendor's clock;
   * `undefined` if it has not seen a use. Use it in addition to the census, never instead of it. Absent if the vendor
   * does not report it.
   */
  lastUsedAtMs?(version: KekVersion, options?: KeyLifecycleOptions): Promise<number | undefined>
}
