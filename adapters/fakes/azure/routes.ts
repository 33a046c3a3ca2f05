import type { CallRecord } from './calls.ts'

/** Operations by method and the path after `/keys/<name>`; `*` is a version. */
const ROUTES: readonly (readonly [method: string, path: RegExp, operation: string])[] = [
  ['GET', /^$/, 'get'],
  ['GET', /^\/(?<version>[0-9a-f]{32})$/, 'get'],
  ['GET', /^\/versions$/, 'list'],
  ['POST', /^\/create$/, 'create'],
  ['POST', /^\/rotate$/, 'rotate'],
  ['GET', /^\/rotationpolicy$/, 'getRotationPolicy'],
  ['PUT', /^\/rotationpolicy$/, 'setRotationPolicy'],
  ['PATCH', /^(?:\/(?<version>[0-9a-f]{32}))?$/, 'update'],
  ['DELETE', /^$/, 'delete'],
  ['POST', /^(?:\/(?<version>[0-9a-f]{32}))?\/wrapkey$/, 'wrapKey'],
  ['POST', /^(?:\/(?<version>[0-9a-f]{32}))?\/unwrapkey$/, 'unwrapKey'],
]

const DELETED = /^\/deletedkeys\/([0-9A-Za-z-]{1,127})(\/recover)?$/i

/** The subject of a request, by its host and path. Paths are compared without case, empty parts do not count. */
export function route(method: string, url: URL): CallRecord {
  const { host } = url
  const path = url.pathname.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1')
  if (/\/oauth2\/v2\.0\/token$/.test(path)) return { service: 'entra', operation: 'token', host }
  if (/\/openid-configuration$|\/discovery\/instance$/.test(path))
    return { service: 'entra', operation: 'discovery', host }
  if (/^\/(?:metadata\/identity\/oauth2|msi)\/token\/?$/i.test(path))
    return { service: 'identity', operation: 'token', host }
  const [, deleted, recovers] = DELETED.exec(path) ?? []
  if (deleted !== undefined && method === (recovers === undefined ? 'GET' : 'POST')) {
    const operation = recovers === undefined ? 'getDeleted' : 'recover'
    return { service: 'vault', operation, host, key: deleted }
  }
  const [, key, rest = ''] = /^\/keys\/([0-9A-Za-z-]{1,127})(\/.*)?$/i.exec(path) ?? []
  if (key === undefined) return { service: 'vault', operation: '', host }
  for (const [verb, pattern, operation] of ROUTES) {
    const match = verb === method ? pattern.exec(rest.toLowerCase()) : null
    const version = match?.groups?.['version']
    if (match !== null)
      return { service: 'vault', operation, host, key, ...(version !== undefined && { version }) }
  }
  return { service: 'vault', operation: '', host, key }
}
