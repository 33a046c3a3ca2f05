/** Facts about one KEK's KMS. Plain data. */
export interface MemberHealth {
  /** A moving average of what an unwrap takes, in milliseconds; `undefined`: not known. */
  readonly latencyMs: number | undefined
  readonly measuredAtMs: number
  /** When it last failed; `-Infinity`: it did not since it last answered. */
  readonly failedAtMs: number
}

/** Weight of the newest call in the average. */
const WEIGHT = 0.3
/** A KMS that failed is asked last for this long. */
const DOWN_MS = 5_000
/** A latency that is older than this is forgotten, so that the KMS is measured again. */
const STALE_MS = 60_000

/** Nothing is known. */
export const UNKNOWN_HEALTH: MemberHealth = /* @__PURE__ */ Object.freeze({
  latencyMs: undefined,
  measuredAtMs: -Infinity,
  failedAtMs: -Infinity,
})

/** After an answer. */
export function answered(health: MemberHealth, tookMs: number, nowMs: number): MemberHealth {
  const { latencyMs } = isFresh(health, nowMs) ? health : UNKNOWN_HEALTH
  const next = latencyMs === undefined ? tookMs : latencyMs + WEIGHT * (tookMs - latencyMs)
  return { latencyMs: Math.max(0, next), measuredAtMs: nowMs, failedAtMs: -Infinity }
}

/** After a failure that says that the KMS is not there. */
export function failed(health: MemberHealth, nowMs: number): MemberHealth {
  return { ...health, failedAtMs: nowMs }
}

/**
 * The places of a list in the order in which to ask: those that answer before those that do not, the
 * fast before the slow, else as configured. An unknown one counts as fast, so that it becomes known.
 */
export function readOrder(healths: readonly MemberHealth[], nowMs: number): readonly number[] {
  const isDown = ({ failedAtMs }: MemberHealth): number =>
    nowMs - failedAtMs < DOWN_MS && nowMs >= failedAtMs ? 1 : 0
  const latencyOf = (health: MemberHealth): number =>
    isFresh(health, nowMs) ? (health.latencyMs ?? 0) : 0
  return healths
    .map((health, i) => ({ i, down: isDown(health), latencyMs: latencyOf(health) }))
    .sort((a, b) => a.down - b.down || a.latencyMs - b.latencyMs || a.i - b.i)
    .map(({ i }) => i)
}

function isFresh({ measuredAtMs }: MemberHealth, nowMs: number): boolean {
  return nowMs - measuredAtMs < STALE_MS && nowMs >= measuredAtMs
}
