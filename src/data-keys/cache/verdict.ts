import { isKmsError } from '../../errors.ts'

/** Codes of a KMS that is down; another call may succeed. An open circuit has the first. */
const OUTAGES: readonly unknown[] = ['ERR_KMS_UNAVAILABLE', 'ERR_KMS_TIMEOUT', 'ERR_KMS_THROTTLED']

/** Codes by which the KMS refuses the key itself. */
const REFUSALS: readonly unknown[] = [
  'ERR_KMS_ACCESS_DENIED',
  'ERR_KMS_KEY_DISABLED',
  'ERR_KMS_KEY_NOT_FOUND',
]

/** Returns what a failed call says: the KMS is down, or it refuses this key. */
export function verdictOf(error: unknown): 'outage' | 'refusal' | undefined {
  const code = isKmsError(error) && error.code
  if (OUTAGES.includes(code)) return 'outage'
  return REFUSALS.includes(code) ? 'refusal' : undefined
}
