import { configError, integer } from '../checks/index.ts'

/** How long and for how much a data key may encrypt. Never limits decryption. */
export interface DataKeyLimits {
  /** Milliseconds after its creation; 1 hour by default, at most 24 hours. */
  readonly encryptForMs: number
  /** Messages per process; 2^20 by default, at most 2^32. */
  readonly maxMessages: number
  /** Bytes of plaintext in records per process; 2^40 by default, at most 2^53 - 1. */
  readonly maxBytes: number
}

/** 2020-01-01: a data key from before it has a broken clock behind it. */
const EARLIEST_MS = 1_577_836_800_000
/** How far another writer's clock may be ahead. */
const FUTURE_SKEW_MS = 300_000

const MAX_ENCRYPT_FOR_MS = 86_400_000
const MAX_MESSAGES = 2 ** 32

/**
 * Fills in the defaults and refuses what is out of range.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function dataKeyLimits(
  encryptForMs = 3_600_000,
  maxMessages: number = 2 ** 20,
  maxBytes: number = 2 ** 40,
): DataKeyLimits {
  return {
    encryptForMs: integer('encryptForMs', encryptForMs, 1, MAX_ENCRYPT_FOR_MS), // W5.2
    maxMessages: integer('maxMessages', maxMessages, 1, MAX_MESSAGES), // W5.6
    maxBytes: integer('maxBytes', maxBytes, 1, Number.MAX_SAFE_INTEGER),
  }
}

/** The age rule for writing. No reader asks it (W5.4). */
export function mayEncryptAt(createdAtMs: number, limits: DataKeyLimits, nowMs: number): boolean {
  if (createdAtMs < EARLIEST_MS || createdAtMs > nowMs + FUTURE_SKEW_MS) return false // W5.3
  return nowMs - createdAtMs < limits.encryptForMs // W5.1
}

/**
 * The creation time of a new data key.
 *
 * @throws KmsError `ERR_KMS_CONFIG` if the clock was never set, or gives what is no time
 */
export function creationTime(nowMs: number): number {
  // A bigint passes for a number in comparisons.
  const isTime = typeof nowMs === 'number' && nowMs <= Number.MAX_SAFE_INTEGER
  if (isTime && nowMs >= EARLIEST_MS) return Math.floor(nowMs)
  throw configError('the clock is wrong')
}
