import { decodeBase64Url, encodeBase64Url, encodeUtf8 } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import type { PlainAnswer } from '../support/fault-bodies.ts'
import type { ScriptedFault } from '../support/fault-script.ts'
import { Refusal, type RefusalKind } from './errors.ts'

/**
 * Faults that a test can script.
 *
 * Before the call is made:
 * - `throttle`, `internal`, `unavailable`: the service's own error of that name
 * - `unauthorized`: 401 with the right challenge, whatever the token
 * - `foreign-challenge`: 401 with a challenge that asks for a token of another resource
 * - `redirect`: 307 to another host
 * - `not-json`: 200 with a page of HTML
 * - `reset`: `fetch` rejects
 *
 * To the answer of a call that was made; the three `wrong-` wait for one that succeeds:
 * - `slow`: comes after `delayMs`
 * - `wrong-key`, `wrong-version`: `kid` names another key, or another version
 * - `wrong-length`: `value` is one byte short
 * - `oversized`: valid, but `sizeBytes` long, without Content-Length
 * - `hang`: half of the body comes, the rest never
 * - `truncated`: half of the body comes, then the connection breaks
 */
export type FakeAzureFaultKind =
  | 'throttle'
  | 'internal'
  | 'unavailable'
  | 'unauthorized'
  | 'foreign-challenge'
  | 'redirect'
  | 'not-json'
  | 'reset'
  | 'slow'
  | 'wrong-key'
  | 'wrong-version'
  | 'wrong-length'
  | 'oversized'
  | 'hang'
  | 'truncated'

/** One line of the script. */
export interface FakeAzureFault extends ScriptedFault {
  readonly kind: FakeAzureFaultKind
  /** How long the answer takes, in milliseconds; for any kind, 1,000 by default for `slow`. */
  readonly delayMs?: number
  /** For `oversized`, in bytes; 1,048,576 by default. */
  readonly sizeBytes?: number
  /** For `throttle` and `unavailable`: the answer's Retry-After. */
  readonly retryAfterSeconds?: number
}

const REFUSALS: ReadonlyMap<string, RefusalKind> = new Map<string, RefusalKind>([
  ['throttle', 'throttled'],
  ['internal', 'internal'],
  ['unavailable', 'unavailable'],
  ['unauthorized', 'unauthorized'],
  ['foreign-challenge', 'unauthorized'],
])

/** The error that a fault stands for. */
export function refusalOf(fault: FakeAzureFault | undefined): Refusal | undefined {
  const kind = fault === undefined ? undefined : REFUSALS.get(fault.kind)
  return kind === undefined ? undefined : new Refusal(kind)
}

/** Whether a fault changes the members of an answer, which an error does not have. */
export function needsSuccess({ kind }: FakeAzureFault): boolean {
  return kind === 'wrong-key' || kind === 'wrong-version' || kind === 'wrong-length'
}

/** Changes an answer's status, headers and members. */
export function distort(answer: PlainAnswer, fault: FakeAzureFault | undefined): PlainAnswer {
  switch (fault?.kind) {
    case 'redirect':
      return withBody({ ...answer, status: 307 }, '', { location: 'https://elsewhere.example/' })
    case 'not-json':
      return withBody({ ...answer, status: 200 }, '<html><body>It works!</body></html>', {
        'content-type': 'text/html',
      })
    case 'foreign-challenge':
      return withBody(answer, '', {
        'www-authenticate':
          'Bearer authorization="https://login.attacker.example/tenant", resource="https://attacker.example"',
      })
    case 'throttle':
    case 'unavailable':
      return fault.retryAfterSeconds === undefined
        ? answer
        : withBody(answer, answer.body, { 'retry-after': String(fault.retryAfterSeconds) })
    case 'wrong-key':
    case 'wrong-version':
    case 'wrong-length':
      return answer.status === 200 ? withMembers(answer, fault.kind) : answer
    default:
      return answer
  }
}

function withBody(
  answer: PlainAnswer,
  body: string,
  headers: Readonly<Record<string, string>>,
): PlainAnswer {
  const length = { 'content-length': String(encodeUtf8(body).length) }
  return { ...answer, body, headers: { ...answer.headers, ...headers, ...length } }
}

function withMembers(answer: PlainAnswer, kind: string): PlainAnswer {
  const members = JSON.parse(answer.body) as JsonObject
  const key = members['key'] as JsonObject | undefined
  const changed =
    key === undefined ? changedOf(members, kind) : { ...members, key: changedOf(key, kind) }
  return withBody(answer, JSON.stringify(changed), {})
}

function changedOf(members: JsonObject, kind: string): JsonObject {
  const { kid, value } = members
  if (kind === 'wrong-length') {
    const bytes = typeof value === 'string' ? decodeBase64Url(value) : undefined
    return bytes === undefined ? members : { ...members, value: encodeBase64Url(bytes.slice(1)) }
  }
  if (typeof kid !== 'string') return members
  const [, vault = '', name = '', version = ''] = /^(.*\/keys\/)([^/]*)(.*)$/.exec(kid) ?? []
  const wrong =
    kind === 'wrong-key' ? `${vault}other${version}` : `${vault}${name}/${'0'.repeat(32)}`
  return { ...members, kid: wrong }
}
