/** What is known of a retirement between two calls. */
export interface RetirementRecord {
  readonly version: 1
  readonly kek: string
  /** When the first census began that found no reference, and since which none found one. */
  readonly zeroSinceMs?: number
  readonly disabledAtMs?: number
}

/**
 * Returns the stored record of a retirement, as far as it can be one. A time that is none, or that has not come yet, is
 * left out: the wait that it ends begins anew, and is neither over at once nor endless.
 *
 * @param given - what the state store held
 * @param kek - name of the version
 */
export function retirementRecord(given: unknown, kek: string, nowMs: number): RetirementRecord {
  const {
    version,
    kek: held,
    zeroSinceMs,
    disabledAtMs,
  } = Object(given) as Partial<Record<keyof RetirementRecord, unknown>>
  if (version !== 1 || held !== kek) return { version: 1, kek }
  return {
    version,
    kek,
    ...(isPast(zeroSinceMs, nowMs) && { zeroSinceMs }),
    ...(isPast(disabledAtMs, nowMs) && { disabledAtMs }),
  }
}

function isPast(ms: unknown, nowMs: number): ms is number {
  return typeof ms === 'number' && ms >= 0 && ms <= nowMs
}
