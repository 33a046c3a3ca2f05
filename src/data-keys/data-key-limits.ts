import { configError } from '../checks/index.ts'

/** Limits for encrypting under one data key. Decryption is never limited. */
export interface DataKeyLimits {
  /** How long after its creation a data key encrypts, in milliseconds: 1 hour by default, at most 24 hours. */
  readonly encryptForMs: number
  /**
   * Most messages that one cache encrypts under one data key, 1 to 2^32. No limit by default, because the format
   * does not need one. A lower number limits how much one stolen data key can decrypt.
   */
  readonly maxMessages: number
}

/** 2020-01-01: a data key from before it has a broken clock behind it. */
const EARLIEST_MS = 1_577_836_800_000
/** How far another writer's clock may be ahead. */
const FUTURE_SKEW_MS = 300_000

/** Whether a writer may use a data key of this age. No reader asks (W5.4). */
export function mayEncryptAt(createdAtMs: number, encryptForMs: number, nowMs: number): boolean {
  if (createdAtMs < EARLIEST_MS || createdAtMs > nowMs + FUTURE_SKEW_MS) return false // W5.3
  return nowMs - createdAtMs < encryptForMs // W5.1
}

/**
 * Returns the creation time of a new data key.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if the clock was never set, or returns what is not a time
 */
export function creationTime(nowMs: number): number {
  // A bigint passes for a number in comparisons.
  const isTime = typeof nowMs === 'number' && nowMs <= Number.MAX_SAFE_INTEGER
  if (isTime && nowMs >= EARLIEST_MS) return Math.floor(nowMs)
  throw configError('the clock is wrong: it must be 2020 or later')
}
