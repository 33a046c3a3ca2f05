import { KmsError } from '../errors.ts'

/** Loopback names and addresses, as `URL.hostname` writes them. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** What an endpoint that is configured may be. */
export interface EndpointRules {
  /** Plain http to a loopback address: for tests against a server on this machine. */
  readonly allowHttpLoopback?: boolean
}

/**
 * Checks an endpoint from the configuration: https, and nothing but an origin and a path.
 *
 * @returns the URL without a trailing slash
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkEndpoint(endpoint: string, rules: EndpointRules): string {
  const url = parse(endpoint)
  const plainLoopback =
    url.protocol === 'http:' && rules.allowHttpLoopback === true && LOOPBACK.test(url.hostname)
  if (url.protocol !== 'https:' && !plainLoopback) {
    throw config('an endpoint must be https (http only for loopback, with allowHttpLoopback)')
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw config('an endpoint has no user, query or fragment')
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}

function parse(endpoint: string): URL {
  try {
    return new URL(endpoint)
  } catch {
    throw config('an endpoint is not a URL')
  }
}

function config(message: string): KmsError {
  return new KmsError('ERR_KMS_CONFIG', { message })
}
