import type { FaultQueue } from '../support/fault-script.ts'

/**
 * Faults that a test can script.
 *
 * Before the call is made:
 * - `throttle` (429), `sealed` (503), `internal` (500), `forbidden` (403): Vault's own answers
 * - `standby`: 307 to the same path on `location`, as a node does that is not the active one
 * - `redirect`: 307 to another path of another host
 * - `not-json`: 200 with a page of HTML
 * - `reset`: `fetch` rejects. Behind a Node front, let the rejection destroy the socket. A Worker
 *   cannot reset a connection, its client sees a 500: use `truncated` there.
 *
 * To the answer of a call that was made; the `wrong-…` wait for one that succeeds:
 * - `slow`: comes after `delayMs`
 * - `wrong-version`: the ciphertext's version, or that of the key info, is another than the rest says
 * - `wrong-prefix`: the ciphertext is not `vault:v…`
 * - `wrong-length`: a plaintext of one byte less
 * - `oversized`: valid, but `sizeBytes` long, without Content-Length
 * - `hang`: half of the body comes, the rest never
 * - `truncated`: half of the body comes, then the connection breaks
 */
export type FakeVaultFaultKind =
  | 'throttle'
  | 'sealed'
  | 'internal'
  | 'forbidden'
  | 'standby'
  | 'redirect'
  | 'not-json'
  | 'reset'
  | 'slow'
  | 'wrong-version'
  | 'wrong-prefix'
  | 'wrong-length'
  | 'oversized'
  | 'hang'
  | 'truncated'

/** One line of the script. */
export interface FakeVaultFault {
  readonly kind: FakeVaultFaultKind
  /** Only calls of this operation, e.g. `decrypt`; any by default. */
  readonly operation?: string
  /** How many calls meet it, 1 by default; `Infinity` until the script is cleared. */
  readonly times?: number
  /** How long the answer takes, in milliseconds; for any kind, 1,000 by default for `slow`. */
  readonly delayMs?: number
  /** For `standby`: the origin of the active node, `https://active.example:8200` by default. */
  readonly location?: string
  /** For `oversized`, in bytes; 1,048,576 by default. */
  readonly sizeBytes?: number
  /** For `throttle` and `sealed`: the answer's Retry-After. */
  readonly retryAfterSeconds?: number
}

/** Faults that wait for their calls. */
export type FakeVaultFaults = FaultQueue<FakeVaultFault>
