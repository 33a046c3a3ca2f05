import { configError, refuseOthers } from '../../checks/index.ts'
import { valueOf, type VaultSecret } from './login.ts'
import { renewSelf } from './renew.ts'
import { isToken, type VaultAuth, type VaultToken } from './token.ts'
import type { VaultHttp } from './vault-http.ts'

/**
 * A token that somebody else logged in for, e.g. Vault's agent: as it is, or by a function that is
 * asked again when Vault refuses what it gave before.
 *
 * @param options - `renew`: also renew the token, beginning with the first use; for periodic tokens
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function vaultToken(
  token: VaultSecret,
  options: { readonly renew?: boolean } = {},
): VaultAuth {
  const { renew = false, ...others } = options
  refuseOthers(others)
  if (typeof renew !== 'boolean') throw configError('renew is not valid')
  if (typeof token !== 'function') checkToken(token)
  return {
    async login(vault: VaultHttp): Promise<VaultToken> {
      const clientToken = checkToken(await valueOf(token))
      const issuedAtMs = vault.ports.runtime.now()
      const held = { clientToken, issuedAtMs, renewable: false }
      return renew ? renewSelf(vault, held) : held
    },
  }
}

function checkToken(token: string): string {
  if (typeof token === 'string' && isToken(token)) return token
  throw configError('token is missing or malformed')
}
