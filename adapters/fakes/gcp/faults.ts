import { crc32c, decodeBase64, encodeBase64, encodeUtf8 } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import type { PlainAnswer } from '../support/fault-bodies.ts'
import type { FaultQueue, ScriptedFault } from '../support/fault-script.ts'
import type { RefusalKind } from './error-table.ts'
import { Refusal } from './errors.ts'

/**
 * Faults that a test can script.
 *
 * Before the call is made:
 * - `throttle`, `internal`, `unavailable`, `unauthenticated`: the service's own error of that name
 * - `redirect`: 307 to another host
 * - `not-json`: 200 with a page of HTML
 * - `reset`: `fetch` rejects. Behind a Node front, let the rejection destroy the socket. A Worker
 *   cannot reset a connection, its client sees a 500: use `truncated` there.
 * - `not-ready`: plain text with `status` and without Metadata-Flavor, as GKE's metadata server answers in a
 *   pod's first seconds
 * - `skewed-clock`: for this request the server's clock, and its Date header, are `skewMs` ahead
 *
 * To the answer of a call that was made; the first five wait for one that succeeds:
 * - `wrong-key`: `name` is that of another key
 * - `wrong-length`: bytes of one less, or a ciphertext beyond what is carried, with a right checksum
 * - `damaged`: one bit of the bytes is another one, the checksum is not
 * - `wrong-checksum`: the checksum is another one
 * - `unverified`: says that it did not see the checksums that were sent
 * - `slow`: comes after `delayMs`
 * - `oversized`: valid, but `sizeBytes` long, without Content-Length
 * - `hang`: half of the body comes, the rest never
 * - `truncated`: half of the body comes, then the connection breaks
 */
export type FakeGcpFaultKind =
  | 'throttle'
  | 'internal'
  | 'unavailable'
  | 'unauthenticated'
  | 'redirect'
  | 'not-json'
  | 'reset'
  | 'skewed-clock'
  | 'not-ready'
  | 'slow'
  | 'wrong-key'
  | 'wrong-length'
  | 'damaged'
  | 'wrong-checksum'
  | 'unverified'
  | 'oversized'
  | 'hang'
  | 'truncated'

/** One line of the script. */
export interface FakeGcpFault extends ScriptedFault {
  readonly kind: FakeGcpFaultKind
  /** How long the answer takes, in milliseconds; for any kind, 1,000 by default for `slow`. */
  readonly delayMs?: number
  /** For `skewed-clock`, in milliseconds; 1,200,000 (20 minutes) by default. */
  readonly skewMs?: number
  /** For `not-ready`; 503 by default. */
  readonly status?: 404 | 503
  /** For `oversized`, in bytes; 1,048,576 by default. */
  readonly sizeBytes?: number
  /** For `throttle` and `unavailable`: the answer's Retry-After. */
  readonly retryAfterSeconds?: number
}

/** Faults that wait for their calls. */
export type FakeGcpFaults = FaultQueue<FakeGcpFault>

const REFUSALS: ReadonlyMap<string, RefusalKind> = new Map<string, RefusalKind>([
  ['internal', 'internal'],
  ['throttle', 'throttled'],
  ['unavailable', 'unavailable'],
  ['unauthenticated', 'unauthenticated'],
])
const CHANGES: ReadonlySet<string> = new Set([
  'wrong-key',
  'wrong-length',
  'damaged',
  'wrong-checksum',
  'unverified',
])
/** Members that are bytes, with a checksum beside each. */
const BYTES = ['plaintext', 'ciphertext', 'data']

/** The error that a fault stands for. */
export function refusalOf(fault: FakeGcpFault | undefined): Refusal | undefined {
  const kind = fault === undefined ? undefined : REFUSALS.get(fault.kind)
  return kind === undefined ? undefined : new Refusal(kind)
}

/** Whether a fault changes the members of an answer, which an error does not have. */
export function needsSuccess({ kind }: FakeGcpFault): boolean {
  return CHANGES.has(kind)
}

/** Changes an answer's status, headers and members. */
export function distort(answer: PlainAnswer, fault: FakeGcpFault | undefined): PlainAnswer {
  if (fault === undefined) return answer
  if (fault.kind === 'redirect')
    return withBody({ ...answer, status: 307 }, '', { location: 'https://elsewhere.example/' })
  if (fault.kind === 'not-ready') {
    const { 'metadata-flavor': _flavor, ...headers } = answer.headers
    const { status = 503 } = fault
    return withBody({ ...answer, status, headers }, 'not ready', { 'content-type': 'text/plain' })
  }
  if (fault.kind === 'not-json') {
    const html = { 'content-type': 'text/html' }
    return withBody({ ...answer, status: 200 }, '<html><body>It works!</body></html>', html)
  }
  if (refusalOf(fault) !== undefined && fault.retryAfterSeconds !== undefined)
    return withBody(answer, answer.body, { 'retry-after': String(fault.retryAfterSeconds) })
  if (answer.status !== 200 || !needsSuccess(fault)) return answer
  const members = JSON.parse(answer.body) as JsonObject
  return withBody(answer, JSON.stringify(changed(members, fault.kind)), {})
}

function changed(members: JsonObject, kind: FakeGcpFaultKind): JsonObject {
  const name = BYTES.find((one) => typeof members[one] === 'string')
  switch (kind) {
    case 'wrong-key': {
      const text = members['name']
      const other =
        typeof text === 'string' && text.replace(/cryptoKeys\/[^/]+/, 'cryptoKeys/other')
      return { ...members, name: other }
    }
    case 'unverified': {
      const {
        verifiedPlaintextCrc32c: _p,
        verifiedAdditionalAuthenticatedDataCrc32c: _a,
        ...rest
      } = members
      return rest
    }
    case 'wrong-checksum':
      return name === undefined ? members : { ...members, [`${name}Crc32c`]: '1' }
    default:
      return name === undefined ? members : { ...members, ...bytesOf(members, name, kind) }
  }
}

function bytesOf(members: JsonObject, name: string, kind: FakeGcpFaultKind): JsonObject {
  const bytes = decodeBase64(members[name] as string) ?? new Uint8Array(1)
  if (kind === 'damaged') {
    bytes[0] = (bytes[0] as number) ^ 1
    return { [name]: encodeBase64(bytes) }
  }
  const other = name === 'ciphertext' ? new Uint8Array(6_145) : bytes.slice(0, -1)
  return { [name]: encodeBase64(other), [`${name}Crc32c`]: String(crc32c(other)) }
}

function withBody(answer: PlainAnswer, body: string, headers: Record<string, string>): PlainAnswer {
  const length = { 'content-length': String(encodeUtf8(body).length) }
  return { ...answer, body, headers: { ...answer.headers, ...headers, ...length } }
}
