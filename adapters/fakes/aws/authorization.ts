import type { ReceivedRequest } from '../support/front-door.ts'
import { headerValue } from './canonical-request.ts'
import { Refusal } from './errors.ts'

/** An Authorization header in its parts. */
export interface Authorization {
  readonly accessKeyId: string
  /** `YYYYMMDD` */
  readonly date: string
  readonly region: string
  readonly service: string
  readonly terminator: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
  /** The time that the request names, `YYYYMMDD'T'HHMMSS'Z'`. */
  readonly amzDate: string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'

/** How far the clocks may be apart: IAM User Guide, Troubleshoot Signature Version 4. */
const MAX_SKEW_MS = 300_000

/**
 * Reads the Authorization header.
 *
 * @throws Refusal `missingToken`, `incompleteSignature`
 */
export function parseAuthorization(request: ReceivedRequest): Authorization {
  const header = request.headers.get('authorization')
  if (header === null || header.trim() === '') throw new Refusal('missingToken')
  const [algorithm = '', ...rest] = header.trim().split(' ')
  if (algorithm !== ALGORITHM) throw incomplete(`Unsupported AWS 'algorithm'`)
  const fields = new Map<string, string>()
  for (const part of rest.join(' ').split(',')) {
    const at = part.indexOf('=')
    if (at > 0) fields.set(part.slice(0, at).trim(), part.slice(at + 1).trim())
  }
  const field = (name: string): string => {
    const value = fields.get(name) ?? ''
    if (value === '') throw incomplete(`Authorization header requires '${name}' parameter.`)
    return value
  }
  const credential = field('Credential').split('/')
  const signedHeaders = field('SignedHeaders').split(';')
  const signature = field('Signature')
  if (credential.length !== 5) {
    throw incomplete('Credential must have exactly 5 slash-delimited elements.')
  }
  const [accessKeyId = '', date = '', region = '', service = '', terminator = ''] = credential
  const amzDate = dateOf(request)
  return { accessKeyId, date, region, service, terminator, signedHeaders, signature, amzDate }
}

/**
 * Checks what is signed for: the scope, the time, and that the headers that matter are signed.
 *
 * @throws Refusal `invalidSignature`
 */
export function checkScope(
  request: ReceivedRequest,
  authorization: Authorization,
  expected: {
    readonly service: string
    readonly regions: readonly string[]
    readonly nowMs: number
  },
): void {
  const { date, region, service, terminator, signedHeaders, amzDate } = authorization
  if (!expected.regions.includes(region)) {
    throw invalid(`Credential should be scoped to a valid region.`)
  }
  if (service !== expected.service) {
    throw invalid(`Credential should be scoped to correct service: '${expected.service}'.`)
  }
  if (terminator !== 'aws4_request') {
    throw invalid(`Credential should be scoped with a valid terminator: 'aws4_request'.`)
  }
  if (date !== amzDate.slice(0, 8)) {
    throw invalid('Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.')
  }
  checkTime(amzDate, expected.nowMs)
  if (!signedHeaders.includes('host')) {
    throw invalid(
      `'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization header.`,
    )
  }
  // SDKs add their own user agent where a browser owns the real one.
  for (const name of request.headers.keys()) {
    if (name.startsWith('x-amz-') && name !== 'x-amz-user-agent' && !signedHeaders.includes(name)) {
      throw invalid(`'${name}' must be a 'SignedHeader' in the AWS Authorization header.`)
    }
  }
}

/** X-Amz-Date, or Date where there is none. */
function dateOf(request: ReceivedRequest): string {
  const text = headerValue(request, 'x-amz-date') ?? headerValue(request, 'date')
  if (text === undefined) {
    throw incomplete(
      `Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.`,
    )
  }
  if (/^\d{8}T\d{6}Z$/.test(text)) return text
  const time = Date.parse(text)
  if (Number.isNaN(time)) throw incomplete('Date must be in ISO-8601 basic format.')
  return amzDateOf(time)
}

function checkTime(amzDate: string, nowMs: number): void {
  const time = Date.parse(
    amzDate.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'),
  )
  if (Number.isNaN(time)) throw incomplete('Date must be in ISO-8601 basic format.')
  const now = amzDateOf(nowMs)
  if (time < nowMs - MAX_SKEW_MS) {
    const limit = amzDateOf(nowMs - MAX_SKEW_MS)
    throw invalid(`Signature expired: ${amzDate} is now earlier than ${limit} (${now} - 5 min.)`)
  }
  if (time > nowMs + MAX_SKEW_MS) {
    const limit = amzDateOf(nowMs + MAX_SKEW_MS)
    throw invalid(
      `Signature not yet current: ${amzDate} is still later than ${limit} (${now} + 5 min.)`,
    )
  }
}

function amzDateOf(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/[:-]|\.\d{3}/g, '')
}

function incomplete(message: string): Refusal {
  return new Refusal('incompleteSignature', message)
}

function invalid(message: string): Refusal {
  return new Refusal('invalidSignature', message)
}
