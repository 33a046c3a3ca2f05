import { plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import type { FlightOptions } from '../../runtime/index.ts'
import { valueOf, type VaultSecret } from './login.ts'
import { renewSelf } from './renew.ts'
import { isToken, type VaultLogin, type VaultToken } from './token.ts'
import type { VaultHttp } from './vault-http.ts'

/**
 * Returns a login by an existing token, e.g. of Vault's agent. Pass the token, or a function that returns it; the
 * function is called again if Vault refuses the token.
 *
 * @param options - `renew`: also renew the token, beginning with the first use; for periodic tokens
 * @throws KmsError `ERR_KMS_CONFIG`
 */
export function vaultToken(
  token: VaultSecret,
  options: { readonly renew?: boolean } = {},
): VaultLogin {
  const { renew = false, ...others } = plainOptions(options)
  refuseOthers(others)
  if (typeof renew !== 'boolean') throw wrongOption('renew', 'true or false', renew)
  if (typeof token !== 'function') checkToken(token)
  return {
    async login(vault: VaultHttp, { signal }: FlightOptions = {}): Promise<VaultToken> {
      const given: unknown = await valueOf('token', token, vault, signal)
      // Files end with a line break.
      const clientToken = checkToken(typeof given === 'string' ? given.trim() : given)
      const issuedAtMs = vault.ports.runtime.now()
      const held = { clientToken, issuedAtMs, renewable: false }
      return renew ? renewSelf(vault, held, signal) : held
    },
  }
}

function checkToken(token: unknown): string {
  if (typeof token === 'string' && isToken(token)) return token
  throw wrongOption('token', 'printable ASCII without spaces', token)
}
