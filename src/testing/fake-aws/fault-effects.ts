import { concatBytes, decodeBase64, encodeBase64, encodeUtf8 } from '../../bytes/index.ts'
import type { JsonObject } from '../../http/index.ts'
import type { Answer } from './answer.ts'
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

/** What `fetch` rejects with when a connection breaks: as Node does. */
export function connectionReset(): TypeError {
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  return new TypeError('fetch failed', { cause })
}

/** Whether a fault changes the members of an answer, which an error does not have. */
export function needsSuccess({ kind }: FakeAwsFault): boolean {
  return kind === 'wrong-key' || kind === 'wrong-length'
}

/** Changes an answer's status, headers and members. */
export function distort(answer: Answer, fault: FakeAwsFault | undefined): Answer {
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

/** The answer as a `Response`, with a body that behaves as the fault says. */
export function respond(
  answer: Answer,
  fault: FakeAwsFault | undefined,
  request: Request,
): Response {
  const { status, headers } = answer
  const bytes = encodeUtf8(answer.body)
  const half = bytes.slice(0, Math.max(1, bytes.length >> 1))
  switch (fault?.kind) {
    case 'oversized': {
      const { 'content-length': _unstated, ...rest } = headers
      return new Response(padded(bytes, fault.sizeBytes ?? 1_048_576), { status, headers: rest })
    }
    case 'hang':
      return new Response(hanging(half, request), { status, headers })
    case 'truncated':
      return new Response(breaking(half), { status, headers })
    default:
      return new Response(status === 307 ? null : bytes, { status, headers })
  }
}

function withBody(answer: Answer, body: string, headers: Record<string, string>): Answer {
  const length = { 'content-length': String(encodeUtf8(body).length) }
  return { ...answer, body, headers: { ...answer.headers, ...headers, ...length } }
}

function withMembers(answer: Answer, members: JsonObject): Answer {
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

/** The body with white space behind it, which JSON and XML permit, a piece at a time. */
function padded(bytes: Uint8Array, sizeBytes: number): ReadableStream<Uint8Array> {
  let left = sizeBytes - bytes.length
  return new ReadableStream({
    start(controller) {
      controller.enqueue(concatBytes(bytes))
    },
    pull(controller) {
      if (left <= 0) controller.close()
      else controller.enqueue(new Uint8Array(Math.min(left, 65_536)).fill(0x20))
      left -= 65_536
    },
  })
}

/** Ends only with the request, so that a server in front of it is not left waiting for ever. */
function hanging(half: Uint8Array, request: Request): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(half)
      const signal = request.signal as AbortSignal | undefined
      const stop = (): void => {
        controller.error(signal?.reason)
      }
      if (signal?.aborted === true) stop()
      else signal?.addEventListener('abort', stop, { once: true })
    },
  })
}

function breaking(half: Uint8Array): ReadableStream<Uint8Array> {
  let sent = false
  return new ReadableStream({
    pull(controller) {
      if (sent) controller.error(new TypeError('terminated'))
      else controller.enqueue(half)
      sent = true
    },
  })
}
