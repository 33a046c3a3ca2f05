import { configError } from '../../checks/index.ts'
import { Refreshing, type RefreshPorts } from '../../runtime/index.ts'
import type { GcpAccessToken, GcpCredentialsOption, GcpCredentialSource } from './credentials.ts'

/**
 * Any form of credentials as a source.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function toTokenSource(
  option: GcpCredentialsOption,
  ports: RefreshPorts,
): GcpCredentialSource {
  if (typeof option === 'function') {
    return new Refreshing(async (options) => checkToken(await option(options)), ports)
  }
  if (typeof option !== 'object' || option === (null as unknown))
    throw configError('credentials must be a token, a function or a source')
  if ('get' in option) return option
  const token = Object.freeze({ ...checkToken(option) })
  return { get: () => Promise.resolve(token), refused: () => undefined }
}

/** Checks the form of a token; what is wrong is said without its value. */
export function checkToken(token: GcpAccessToken): GcpAccessToken {
  const { token: text, expiresAtMs } = Object(token) as Partial<GcpAccessToken>
  // RFC 6750 section 2.1. A line break would add a header of the attacker's choice.
  if (typeof text !== 'string' || !/^[\w.~+/-]{1,16384}=*$/.test(text))
    throw configError('the access token is missing or malformed')
  if (expiresAtMs !== undefined && !Number.isFinite(expiresAtMs))
    throw configError('expiresAtMs of the access token is not a time')
  return token
}
