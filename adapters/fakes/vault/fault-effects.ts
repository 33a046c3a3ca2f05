import { decodeBase64, encodeBase64, encodeUtf8 } from '../../../src/bytes/index.ts'
import type { JsonObject } from '../../../src/http/index.ts'
import type { PlainAnswer } from '../support/fault-bodies.ts'
import type { FakeVaultFault } from './faults.ts'
import { denied, Refusal } from './refusal.ts'

/** The error that a fault stands for. */
export function refusalOf(fault: FakeVaultFault | undefined): Refusal | undefined {
  switch (fault?.kind) {
    case 'throttle':
      return new Refusal(429, 'request path "transit": rate limit quota exceeded')
    case 'sealed':
      return new Refusal(503, 'Vault is sealed')
    case 'internal':
      return new Refusal(500, 'internal error')
    case 'forbidden':
      return denied()
    default:
      return undefined
  }
}

/** Whether a fault changes the members of an answer, which an error does not have. */
export function needsSuccess({ kind }: FakeVaultFault): boolean {
  return kind.startsWith('wrong-')
}

/** Whether a fault replaces the answer. */
export function replaces(fault: FakeVaultFault | undefined): boolean {
  return ['standby', 'redirect', 'not-json'].includes(fault?.kind ?? '')
}

/** Changes an answer's status, headers and members. */
export function distort(
  answer: PlainAnswer,
  fault: FakeVaultFault | undefined,
  url: URL,
): PlainAnswer {
  if (fault?.kind === 'standby') {
    const location = `${fault.location ?? 'https://active.example:8200'}${url.pathname}`
    return withBody({ ...answer, status: 307 }, '', { location })
  }
  if (fault?.kind === 'redirect')
    return withBody({ ...answer, status: 307 }, '', { location: 'https://elsewhere.example/' })
  if (fault?.kind === 'not-json') {
    return withBody({ ...answer, status: 200 }, '<html><body>It works!</body></html>', {
      'content-type': 'text/html',
    })
  }
  if (fault?.retryAfterSeconds !== undefined && answer.status >= 400)
    return withBody(answer, answer.body, { 'retry-after': String(fault.retryAfterSeconds) })
  if (fault === undefined || answer.status !== 200 || !answer.body.startsWith('{')) return answer
  const whole = JSON.parse(answer.body) as JsonObject
  const data = (whole['data'] ?? {}) as JsonObject
  return withBody(answer, JSON.stringify({ ...whole, data: wrong(data, fault.kind) }), {})
}

function withBody(answer: PlainAnswer, body: string, headers: Record<string, string>): PlainAnswer {
  const length = { 'content-length': String(encodeUtf8(body).length) }
  return { ...answer, body, headers: { ...answer.headers, ...headers, ...length } }
}

function wrong(data: JsonObject, kind: string): JsonObject {
  const { ciphertext, plaintext, latest_version: latest } = data
  if (kind === 'wrong-version' && typeof ciphertext === 'string')
    return { ...data, ciphertext: ciphertext.replace(/^vault:v/, 'vault:v7') }
  if (kind === 'wrong-version' && latest !== undefined) return { ...data, latest_version: '1' }
  if (kind === 'wrong-prefix' && typeof ciphertext === 'string')
    return { ...data, ciphertext: ciphertext.replace(/^vault:/, 'other:') }
  const bytes = typeof plaintext === 'string' ? decodeBase64(plaintext) : undefined
  if (kind === 'wrong-length' && bytes !== undefined)
    return { ...data, plaintext: encodeBase64(bytes.slice(0, -1)) }
  return data
}
