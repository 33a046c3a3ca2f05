import { plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import { askForJwt } from '../../runtime/index.ts'
import { checkAudience } from './check-audience.ts'
import type { OidcTokenSource } from './oidc-token-source.ts'

/** Options of {@link denoDeployToken}. */
export interface DenoDeployTokenOptions {
  /** `getIdToken` of `jsr:@deno/oidc`: Deno obtains the token. */
  readonly getIdToken: (audience: string) => Promise<string>
  /** The `aud` that the other side expects. */
  readonly audience: string
}

const PROVIDER = 'deno-deploy'

/**
 * Returns a source of the OIDC tokens of an app on Deno Deploy; their issuer is `https://oidc.deno.com`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; `ERR_KMS_UNAUTHENTICATED`, `ERR_KMS_UNAVAILABLE` when a token is asked for
 * @see https://docs.deno.com/deploy/reference/oidc/
 */
export function denoDeployToken(options: DenoDeployTokenOptions): OidcTokenSource {
  const { getIdToken, audience, ...others } = plainOptions(options)
  refuseOthers(others)
  if (typeof getIdToken !== 'function') throw wrongOption('getIdToken', 'a function', getIdToken)
  checkAudience(audience)
  return async ({ signal } = {}) => {
    signal?.throwIfAborted()
    return askForJwt(() => getIdToken(audience), { name: 'getIdToken', provider: PROVIDER, signal })
  }
}
