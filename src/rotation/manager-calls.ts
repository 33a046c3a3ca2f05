import { demandSignal, plainOptions, refuseOthers } from '../checks/index.ts'
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
  /**
   * Whether a stopped job continues after the values that failed, and no longer counts them for the threshold.
   * `false` by default: a stopped job starts again and retries these values, because you have fixed the cause.
   */
  readonly acceptFailures?: boolean
}

/**
 * Returns the options of a call, checked.
 *
 * @param known - names of the options beside `signal`
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function callOptions<T extends ManagerCallOptions>(
  options: T,
  ...known: readonly (keyof T & string)[]
): T {
  const { signal, ...others } = plainOptions(options)
  refuseOthers(others, new Set<string>(known))
  if (signal !== undefined) demandSignal(signal)
  return options
}
