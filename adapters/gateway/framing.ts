import { GatewayError } from './problem.ts'

/**
 * Returns the length of a request's body in bytes, or `undefined` if only its end tells.
 *
 * @throws GatewayError `ERR_GATEWAY_BAD_REQUEST` for a body with two lengths
 */
export function bodyBytesOf({ body, headers }: Request): number | undefined {
  const stated = headers.get('content-length')
  const coding = headers.get('transfer-encoding')
  if (stated === null) return body === null && coding === null ? 0 : undefined
  // Two servers that disagree about where this body ends see two different requests.
  if (coding !== null) {
    throw refused('a request must not have both Content-Length and Transfer-Encoding')
  }
  if (!/^\d{1,15}$/.test(stated)) throw refused('Content-Length must be one number of bytes')
  return Number(stated)
}

/**
 * Returns whether the request came by HTTP/1.0, where the server can tell: Cloudflare names the protocol
 * in `cf`, and the common adapter for Node hands over Node's own request as `env.incoming`.
 */
export function isHttp10(request: Request, env: unknown): boolean {
  const protocol = memberOf(memberOf(request, 'cf'), 'httpProtocol')
  const version = memberOf(memberOf(env, 'incoming'), 'httpVersion')
  return protocol === 'HTTP/1.0' || version === '1.0'
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}

function refused(detail: string): GatewayError {
  return new GatewayError('ERR_GATEWAY_BAD_REQUEST', { detail })
}
