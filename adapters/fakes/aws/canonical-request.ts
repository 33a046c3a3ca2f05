import type { ReceivedRequest } from '../support/front-door.ts'
import { encodeUtf8 } from '../../../src/bytes/index.ts'
import { sha256Hex } from './primitives.ts'

/**
 * The canonical request of Signature Version 4, from what was received.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export async function canonicalRequest(
  request: ReceivedRequest,
  signedHeaders: readonly string[],
): Promise<string> {
  const lines = signedHeaders.map((name) => `${name}:${headerValue(request, name) ?? ''}\n`)
  return [
    request.method.toUpperCase(),
    canonicalPath(request.url.pathname),
    canonicalQuery(request.url.search.slice(1)),
    lines.join(''),
    signedHeaders.join(';'),
    // Never from x-amz-content-sha256: what was sent counts, not what is said of it.
    await sha256Hex(request.body),
  ].join('\n')
}

/** The text that a caller signs: the canonical request's digest with its time and scope. */
export async function stringToSign(
  canonical: string,
  amzDate: string,
  scope: string,
): Promise<string> {
  const digest = await sha256Hex(encodeUtf8(canonical))
  return ['AWS4-HMAC-SHA256', amzDate, scope, digest].join('\n')
}

/** A header's value as it is signed. HTTP clients own some headers and may not let them be seen. */
export function headerValue(
  { headers, url, body }: ReceivedRequest,
  name: string,
): string | undefined {
  // Servers make the URL from Host; what a development proxy puts into Host was never signed.
  if (name === 'host') return url.host
  const value = headers.get(name)
  if (value !== null) return value.trim().replace(/ {2,}/g, ' ')
  return name === 'content-length' ? String(body.length) : undefined
}

/** Every service but S3 encodes the path once more. */
function canonicalPath(pathname: string): string {
  return pathname
    .replace(/\/{2,}/g, '/')
    .split('/')
    .map(encodeStrictly)
    .join('/')
}

function canonicalQuery(search: string): string {
  if (search === '') return ''
  const pairs = search.split('&').map((pair) => {
    const [name = '', ...value] = pair.split('=')
    return { name: again(name), value: again(value.join('=')) }
  })
  pairs.sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
  return pairs.map(({ name, value }) => `${name}=${value}`).join('&')
}

function again(encoded: string): string {
  try {
    return encodeStrictly(decodeURIComponent(encoded.replaceAll('+', '%20')))
  } catch {
    return encodeStrictly(encoded)
  }
}

/** Percent-encodes all but the unreserved characters of RFC 3986. */
function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
