import { wrongOption } from '../../checks/index.ts'
import { KmsError } from '../../errors.ts'
import { askCallback, guardSource, Refreshing, type RefreshPorts } from '../../runtime/index.ts'
import type {
  AzureCredentialsOption,
  AzureCredentialSource,
  AzureToken,
  AzureTokenOptions,
} from './token.ts'

/** Tokens that renew themselves, one for each resource: resources come from the configuration, so they are few. */
export class RefreshingTokens implements AzureCredentialSource {
  readonly #load: (options: AzureTokenOptions) => Promise<AzureToken>
  readonly #ports: RefreshPorts
  readonly #tokens = new Map<string, Refreshing<AzureToken>>()

  constructor(load: (options: AzureTokenOptions) => Promise<AzureToken>, ports: RefreshPorts) {
    this.#load = load
    this.#ports = ports
  }

  get({ resource, ...options }: AzureTokenOptions): Promise<AzureToken> {
    let token = this.#tokens.get(resource)
    if (token === undefined) {
      token = new Refreshing((call) => this.#load({ ...call, resource }), this.#ports)
      this.#tokens.set(resource, token)
    }
    return token.get(options)
  }

  refused(token: AzureToken): void {
    for (const one of this.#tokens.values()) one.refused(token)
  }
}

const PROVIDER = 'azure-token'

/**
 * Returns any form of credentials as a source. A call of the caller's own function or source is bounded and
 * typed.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function toTokenSource(
  option: AzureCredentialsOption,
  ports: RefreshPorts,
): AzureCredentialSource {
  const callback = { name: 'credentials', provider: PROVIDER, network: ports.network }
  if (typeof option === 'function') {
    const load = async ({ signal, ...call }: AzureTokenOptions): Promise<AzureToken> => {
      const ask = (until: AbortSignal): Promise<AzureToken> => option({ ...call, signal: until })
      return checkToken(await askCallback(ask, { ...callback, signal }))
    }
    return new RefreshingTokens(load, ports)
  }
  if (option instanceof RefreshingTokens) return option
  const { get, refused } = Object(option) as Partial<AzureCredentialSource>
  if (typeof get === 'function' && typeof refused === 'function')
    return guardSource(option, checkToken, callback)
  throw wrongOption('credentials', 'a function or a source with get and refused', option)
}

/** Checks the form of a token; what is wrong is said without its value. */
function checkToken(given: AzureToken): AzureToken {
  const { token, expiresAtMs } = Object(given) as AzureToken
  if (!isHeaderValue(token)) throw invalid('the token is missing or malformed')
  if (expiresAtMs !== undefined && !Number.isFinite(expiresAtMs))
    throw invalid('expiresAtMs is not a time')
  return { token, ...(expiresAtMs !== undefined && { expiresAtMs }) }
}

/** A line break would add a header of the attacker's choice. */
export function isHeaderValue(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]{1,16384}$/.test(value)
}

function invalid(message: string): KmsError {
  return new KmsError('ERR_KMS_UNAUTHENTICATED', { provider: PROVIDER, message })
}
