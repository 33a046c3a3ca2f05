import { GatewayError } from './problem.ts'

/** Host names that a gateway answers to besides those of this machine, or `any`. */
export type HostRule = readonly string[] | 'any'

/**
 * Refuses what a web page could make a browser send: a name that was rebound to this machine, and
 * requests from another site. The gateway asks nobody who they are, so this is all that stands
 * between a page and the key.
 *
 * @throws GatewayError
 */
export function refuseForeign(request: Request, hosts: HostRule): void {
  const url = new URL(request.url)
  if (hosts !== 'any') {
    const named = request.headers.get('host')
    const names = [url.hostname, ...(named === null ? [] : [hostnameOf(named)])]
    if (names.some((name) => !isLoopback(name) && !hosts.includes(name))) {
      throw new GatewayError('ERR_GATEWAY_HOST_REFUSED')
    }
  }
  const site = request.headers.get('sec-fetch-site')
  if (site !== null && site !== 'same-origin' && site !== 'none') {
    // `same-site` too: another port of this machine is the same site and may be anybody's page.
    throw new GatewayError('ERR_GATEWAY_CROSS_SITE')
  }
  const origin = request.headers.get('origin')
  if (origin !== null && origin !== url.origin) throw new GatewayError('ERR_GATEWAY_CROSS_SITE')
}

function hostnameOf(host: string): string {
  // A Host header is a name and a port; anything else could hide the name in a URL's other parts.
  if (!/^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d*)?$/i.test(host)) return ''
  try {
    return new URL(`http://${host}`).hostname
  } catch {
    return ''
  }
}

/** Names that no resolver is asked for. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}
