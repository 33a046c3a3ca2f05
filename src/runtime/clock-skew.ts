/** A clock that is further off is not corrected by an answer: one forged Date would date signatures ahead. */
const MAX_SKEW_MS = 86_400_000
/** Servers tolerate less than this anyway. */
const MIN_CHANGE_MS = 60_000

/**
 * Returns how far a server's clock is ahead of ours, milliseconds, or `undefined` where that is not a reason
 * to sign again: it is unknown, about what was assumed, or more than one day.
 *
 * @param serverTimeMs - the answer's Date; not a number where there is none
 * @param assumedMs - the skew that the refused request was signed with
 */
export function correctedSkew(
  serverTimeMs: number,
  nowMs: number,
  assumedMs: number,
): number | undefined {
  const skewMs = serverTimeMs - nowMs
  const isUsable = Math.abs(skewMs) <= MAX_SKEW_MS && Math.abs(skewMs - assumedMs) >= MIN_CHANGE_MS
  return isUsable ? skewMs : undefined
}
