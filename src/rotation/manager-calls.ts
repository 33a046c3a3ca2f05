import type { EncryptionContext } from '../kms/index.ts'

/** Options of a call that has no other. */
export interface ManagerCallOptions {
  readonly signal?: AbortSignal | undefined
}

/** Options of a call on a KEK. */
export interface KekCallOptions extends ManagerCallOptions {
  /** Picks the KEK, where customers have KEKs of their own (`kmsByContext`). */
  readonly context?: EncryptionContext
}

/** Options of `KeyRotationManager.resume`. */
export interface ResumeOptions extends ManagerCallOptions {
  /** The failures so far no longer count for the threshold: a stopped job would stop again. `false` by default. */
  readonly acceptFailures?: boolean
}
