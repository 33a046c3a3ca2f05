import { decodeBase64, encodeBase64, encodeUtf8 } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import type { PlainAnswer } from '../support/fault-bodies.ts'
import type { RefusalKind } from './error-table.ts'
import { Refusal } from './errors.ts'
import type { FakeAwsFault } from './faults.ts'

/** Faults that are an error answer of the service. */
const REFUSALS: ReadonlyMap<string, RefusalKind> = new Map<string, RefusalKind>([
  ['internal', 'internal'],
  ['throttle', 'throttled'],
  ['unavailable', 'unavailable'],
])

/** The error that a fault stands for. */
export function refusalOf(fault: FakeAwsFault | undefined): Refusal | undefined {
  const kind = fault === undefined ? undefined : REFUSALS.get(fault.kind)
  return kind === undefined ? undefined : new Refusal(kind)
}

/** Whether a fault changes the members of an answer, which an error does not have. */
export function needsSuccess({ kind }: FakeAwsFault): boolean {
  return kind === 'wrong-key' || kind === 'wrong-length'
}

/** Changes an answer's status, headers and members. */
export function distort(answer: PlainAnswer, fault: FakeAwsFault | undefined): PlainAnswer {
  if (fault === undefined) return answer
  if (fault.kind === 'redirect') {
    return withBody({ ...answer, status: 307 }, '', { location: 'https://elsewhere.example/' })
  }
  if (fault.kind === 'not-json') {
    return withBody({ ...answer, status: 200 }, '<html><body>It works!</body></html>', {
      'content-type': 'text/html',
    })
  }
  if (refusalOf(fault) !== undefined && fault.retryAfterSeconds !== undefined) {
    return withBody(answer, answer.body, { 'retry-after': String(fault.retryAfterSeconds) })
  }
  if (answer.status !== 200 || !answer.body.startsWith('{')) return answer
  const members = JSON.parse(answer.body) as JsonObject
  if (fault.kind === 'wrong-key') return withMembers(answer, wrongKey(members, fault.field))
  if (fault.kind === 'wrong-length') return withMembers(answer, wrongLength(members))
  return answer
}

function withBody(answer: PlainAnswer, body: string, headers: Record<string, string>): PlainAnswer {
  const length = { 'content-length': String(encodeUtf8(body).length) }
  return { ...answer, body, headers: { ...answer.headers, ...headers, ...length } }
}

function withMembers(answer: PlainAnswer, members: JsonObject): PlainAnswer {
  return withBody(answer, JSON.stringify(members), {})
}

/** The ARN of a key that nobody asked for, in the same place. */
function wrongKey(members: JsonObject, field = 'KeyId'): JsonObject {
  const metadata = members['KeyMetadata'] as JsonObject | undefined
  const arn = metadata?.['Arn'] ?? members[field]
  if (typeof arn !== 'string') return members
  const keyId = '00000000-0000-4000-8000-000000000000'
  const other = arn.replace(/key\/.*$/, `key/${keyId}`)
  if (metadata === undefined) return { ...members, [field]: other }
  return { ...members, KeyMetadata: { ...metadata, Arn: other, KeyId: keyId } }
}

function wrongLength(members: JsonObject): JsonObject {
  const plaintext = decodeBase64(
    typeof members['Plaintext'] === 'string' ? members['Plaintext'] : '',
  )
  if (plaintext !== undefined && plaintext.length > 0) {
    return { ...members, Plaintext: encodeBase64(plaintext.slice(0, -1)) }
  }
  return { ...members, CiphertextBlob: encodeBase64(new Uint8Array(6_145)) }
}
