import { isKmsError } from '../../errors.ts'
import type { FlightOptions } from '../../runtime/index.ts'
import { Refreshing } from '../../runtime/index.ts'
import { LOGIN_ERRORS } from './login.ts'
import { readToken, type VaultLogin, type VaultToken } from './token.ts'
import type { VaultHttp } from './vault-http.ts'

/**
 * A new lease of the same token. Vault cuts it at the token's `max_ttl`, and refuses it past that.
 *
 * @throws KmsError `ERR_KMS_UNAUTHENTICATED` where it cannot be renewed
 */
export async function renewSelf(
  vault: VaultHttp,
  held: VaultToken,
  signal: AbortSignal | undefined,
): Promise<VaultToken> {
  const answer = await vault.ask(
    {
      method: 'POST',
      path: 'auth/token/renew-self',
      body: {},
      token: held.clientToken,
      operation: 'renew-self',
      signal,
    },
    LOGIN_ERRORS,
  )
  const { issuedAtMs, leaseMs } = held
  const renewed = readToken(answer, vault.ports.runtime.now())
  return { ...renewed, issuedAtMs, ...(leaseMs !== undefined && { leaseMs }) }
}

/** Tokens of one way to log in: renewed ahead of their end, and logged in for anew past that. */
export function tokensOf(vault: VaultHttp, auth: VaultLogin): Refreshing<VaultToken> {
  const load = async (
    { signal }: FlightOptions,
    held: VaultToken | undefined,
  ): Promise<VaultToken> => {
    if (held?.renewable !== true) return auth.login(vault, { signal })
    try {
      const renewed = await renewSelf(vault, held, signal)
      const { expiresAtMs = Infinity, leaseMs = 0 } = renewed
      // Near its `max_ttl` a token gets ever shorter leases.
      if (expiresAtMs - vault.ports.runtime.now() >= leaseMs / 2) return renewed
    } catch (error) {
      // Past its `max_ttl` some servers say 500. While none can be reached, neither can a login.
      if (!isKmsError(error)) throw error
    }
    return auth.login(vault, { signal })
  }
  return new Refreshing(load, vault.ports)
}
