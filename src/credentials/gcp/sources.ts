import { wrongNumber, wrongOption } from '../../checks/index.ts'
import {
  askCallback,
  type FlightOptions,
  guardSource,
  Refreshing,
  type RefreshPorts,
} from '../../runtime/index.ts'
import type { GcpAccessToken, GcpCredentialsOption, GcpCredentialSource } from './credentials.ts'

const PROVIDER = 'gcp-credentials'

/**
 * Returns any form of credentials as a source. A call of the caller's own function or source is bounded and
 * typed.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function toTokenSource(
  option: GcpCredentialsOption,
  ports: RefreshPorts,
): GcpCredentialSource {
  const callback = { name: 'credentials', provider: PROVIDER, network: ports.network }
  if (typeof option === 'function') {
    const ask = (signal: AbortSignal): Promise<GcpAccessToken> => option({ signal })
    const load = async ({ signal }: FlightOptions): Promise<GcpAccessToken> =>
      checkToken(await askCallback(ask, { ...callback, signal }))
    return new Refreshing(load, ports)
  }
  if (typeof option !== 'object' || option === (null as unknown))
    throw wrongOption('credentials', 'a token, a function or a source', option)
  if (option instanceof Refreshing) return option as GcpCredentialSource
  if ('get' in option) return guardSource(option, checkToken, callback)
  // Each field is read: a spread would lose those that an instance of a class inherits.
  const { token: text, expiresAtMs } = checkToken(option)
  const token = Object.freeze({ token: text, ...(expiresAtMs !== undefined && { expiresAtMs }) })
  return { get: () => Promise.resolve(token), refused: () => undefined }
}

/** Checks the form of a token; what is wrong is said without its value. */
export function checkToken(token: GcpAccessToken): GcpAccessToken {
  const { token: text, expiresAtMs } = Object(token) as Partial<GcpAccessToken>
  // RFC 6750 section 2.1. A line break would add a header of the attacker's choice.
  if (typeof text !== 'string' || !/^[\w.~+/-]{1,16384}=*$/.test(text))
    throw wrongOption('token', 'an access token as Google issues it', text)
  if (expiresAtMs !== undefined && !Number.isFinite(expiresAtMs))
    throw wrongNumber('expiresAtMs', 'milliseconds since the epoch', expiresAtMs)
  return token
}
