import { configError, describe } from '../checks/index.ts'

/** `URL` drops some of these without a word: the host would not be the one that was written. */
const NOT_IN_A_URL = /[\s\\\p{Cc}]/u
/** Loopback names and addresses, as `URL.hostname` writes them. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** Exceptions for endpoints. */
export interface EndpointRules {
  /** Plain http to a loopback address: for tests against a server on this machine. */
  readonly allowHttpLoopback?: boolean | undefined
}

/**
 * Returns an endpoint of the configuration without a trailing slash. It must be https and have only an
 * origin and a path.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function checkEndpoint(endpoint: string, rules: EndpointRules): string {
  if (typeof endpoint !== 'string' || !URL.canParse(endpoint))
    throw configError(`an endpoint must be a URL such as https://host, got ${describe(endpoint)}`)
  if (NOT_IN_A_URL.test(endpoint))
    throw configError('an endpoint must have no spaces, backslashes or control characters')
  const url = new URL(endpoint)
  const plainLoopback =
    url.protocol === 'http:' && rules.allowHttpLoopback === true && LOOPBACK.test(url.hostname)
  if (url.protocol !== 'https:' && !plainLoopback) {
    const fix = 'use https, or allowHttpLoopback with a loopback address'
    throw configError(`an endpoint must be https, got ${url.protocol.slice(0, 16)} ${fix}`)
  }
  if (url.username + url.password + url.search + url.hash !== '')
    throw configError('an endpoint must have no user, query or fragment')
  return url.origin + url.pathname.replace(/\/+$/, '')
}
