import { configError } from '../checks/index.ts'

/** Loopback names and addresses, as `URL.hostname` writes them. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** What an endpoint that is configured may be. */
export interface EndpointRules {
  /** Plain http to a loopback address: for tests against a server on this machine. */
  readonly allowHttpLoopback?: boolean | undefined
}

/**
 * Checks an endpoint from the configuration: https, and nothing but an origin and a path.
 *
 * @returns the URL without a trailing slash
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkEndpoint(endpoint: string, rules: EndpointRules): string {
  if (!URL.canParse(endpoint)) throw configError('an endpoint is not a URL')
  const url = new URL(endpoint)
  const plainLoopback =
    url.protocol === 'http:' && rules.allowHttpLoopback === true && LOOPBACK.test(url.hostname)
  if (url.protocol !== 'https:' && !plainLoopback) {
    throw configError('an endpoint must be https')
  }
  if (url.username + url.password + url.search + url.hash !== '')
    throw configError('an endpoint has no user, query or fragment')
  return url.origin + url.pathname.replace(/\/+$/, '')
}
