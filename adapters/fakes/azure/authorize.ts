import type { CallRecord } from './calls.ts'
import type { EntraParts } from './entra.ts'
import { Refusal } from './errors.ts'
import { parseJwt } from './jwt.ts'

/** The header that a vault asks for a token with. */
export function challengeOf({ tenantId }: EntraParts, resource: string): string {
  return `Bearer authorization="https://login.microsoftonline.com/${tenantId}", resource="${resource}"`
}

/** Behind a server on this machine all vaults are one. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/

/** The beginning of every id of a vault's keys. */
export function originOf(host: string): string {
  return `${LOOPBACK.test(host) ? 'http' : 'https'}://${host}`
}

/** The audience of tokens for a host: the suffix behind its first label. */
export function resourceOf(host: string): string {
  if (LOOPBACK.test(host)) return 'https://vault.azure.net'
  return `https://${host.replace(/:\d+$/, '').replace(/^[^.]*\./, '')}`
}

/**
 * Finds out who sent a request, and whether they may do this.
 *
 * @throws Refusal `noToken`, `unauthorized`, `forbidden`
 */
export async function authorize(
  parts: EntraParts,
  headers: Headers,
  record: CallRecord,
): Promise<void> {
  const { applications, defects, mint, tenantId, now } = parts
  if (!headers.has('authorization')) throw new Refusal('noToken')
  const [, token = ''] = /^Bearer +(.+)$/i.exec(headers.get('authorization') ?? '') ?? []
  const jwt = parseJwt(token)
  if (jwt === undefined) throw new Refusal('unauthorized')
  if (!defects.has('accepts-any-token') && !(await mint.isOwn(jwt)))
    throw new Refusal('unauthorized')
  const { aud, appid, exp, tid } = jwt.claims
  const live = now() / 1_000 < Number(exp) || defects.has('accepts-expired-tokens')
  const meant = aud === resourceOf(record.host) || defects.has('ignores-audience')
  if (!live || !meant || tid !== tenantId) throw new Refusal('unauthorized')
  const application = applications.find(({ clientId }) => clientId === appid)
  if (application === undefined) throw new Refusal('unauthorized')
  record.caller = application.clientId
  const { permissions } = application
  if (permissions === undefined || permissions.includes(record.operation)) return
  if (!defects.has('ignores-permissions')) throw new Refusal('forbidden')
}
