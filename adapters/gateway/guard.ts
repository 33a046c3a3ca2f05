import { HOST_AND_PORT, type HostRule, isLoopback } from './host-names.ts'
import { GatewayError } from './problem.ts'

/**
 * Refuses requests that a web page could make a browser send: to a name that was rebound to this machine, and from
 * another site. The gateway does not authenticate callers, so only this check protects the key from a page.
 *
 * @returns the URL of the request
 * @throws GatewayError `ERR_GATEWAY_BAD_REQUEST` unless the request names exactly one host,
 * `ERR_GATEWAY_HOST_REFUSED`, `ERR_GATEWAY_CROSS_SITE`
 */
export function refuseForeign(request: Request, hosts: HostRule): URL {
  const url = parsed(request.url)
  const named = request.headers.get('host')
  const names = [url.hostname, ...(named === null ? [] : [hostnameOf(named)])]
  if (hosts !== 'any' && names.some((name) => !isLoopback(name) && !hosts.includes(name))) {
    throw new GatewayError('ERR_GATEWAY_HOST_REFUSED')
  }
  const site = request.headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin' && site !== 'none') {
    // `same-site` too: another port of this machine is the same site and may be anybody's page.
    throw new GatewayError('ERR_GATEWAY_CROSS_SITE')
  }
  const origin = request.headers.get('origin')
  if (origin !== null && origin !== url.origin) throw new GatewayError('ERR_GATEWAY_CROSS_SITE')
  return url
}

function hostnameOf(host: string): string {
  if (!HOST_AND_PORT.test(host)) throw badHost()
  return parsed(`http://${host}`).hostname
}

function parsed(url: string): URL {
  try {
    return new URL(url)
  } catch {
    throw badHost() // some servers make the URL of whatever the Host header says
  }
}

function badHost(): GatewayError {
  const detail = 'the request must name one host, as `name` or `name:port`'
  return new GatewayError('ERR_GATEWAY_BAD_REQUEST', { detail })
}
