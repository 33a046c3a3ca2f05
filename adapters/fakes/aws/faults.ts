import type { FaultQueue } from '../support/fault-script.ts'

/**
 * Faults that a test can script.
 *
 * Before the call is made:
 * - `throttle`, `internal`, `unavailable`: the service's own error of that name
 * - `redirect`: 307 to another host
 * - `not-json`: 200 with a page of HTML
 * - `reset`: `fetch` rejects. Behind a Node front, let the rejection destroy the socket. A Worker
 *   cannot reset a connection, its client sees a 500: use `truncated` there.
 * - `skewed-clock`: for this request the server's clock, and its Date header, are `skewMs` ahead
 *
 * To the answer of a call that was made; `wrong-key` and `wrong-length` wait for one that succeeds:
 * - `slow`: comes after `delayMs`
 * - `wrong-key`: `field` (KeyId) holds the ARN of another key
 * - `wrong-length`: a data key of one byte less, or a ciphertext beyond AWS's limit where the answer has no data key
 * - `oversized`: valid, but `sizeBytes` long, without Content-Length
 * - `hang`: half of the body comes, the rest never
 * - `truncated`: half of the body comes, then the connection breaks
 */
export type FakeAwsFaultKind =
  | 'throttle'
  | 'internal'
  | 'unavailable'
  | 'redirect'
  | 'not-json'
  | 'reset'
  | 'skewed-clock'
  | 'slow'
  | 'wrong-key'
  | 'wrong-length'
  | 'oversized'
  | 'hang'
  | 'truncated'

/** One line of the script. */
export interface FakeAwsFault {
  readonly kind: FakeAwsFaultKind
  /** Only calls of this operation, e.g. `Decrypt`; any by default. */
  readonly operation?: string
  /** How many calls meet it, 1 by default; `Infinity` until the script is cleared. */
  readonly times?: number
  /** How long the answer takes, in milliseconds; for any kind, 1,000 by default for `slow`. */
  readonly delayMs?: number
  /** For `skewed-clock`, in milliseconds; 1,200,000 (20 minutes) by default. */
  readonly skewMs?: number
  /** For `oversized`, in bytes; 1,048,576 by default. */
  readonly sizeBytes?: number
  /** For `wrong-key`: the member of the answer that is wrong, `KeyId` by default. */
  readonly field?: string
  /** For `throttle` and `unavailable`: the answer's Retry-After. */
  readonly retryAfterSeconds?: number
}

/** Faults that wait for their calls. */
export type FakeAwsFaults = FaultQueue<FakeAwsFault>
