import { untilAborted } from '../../runtime/index.ts'
import { checkJwt } from './check-jwt.ts'
import type { OidcTokenSource } from './oidc-token-source.ts'

/** Options of {@link denoDeployToken}. */
export interface DenoDeployTokenOptions {
  /** `getIdToken` of `jsr:@deno/oidc`: how it gets its token is Deno's own affair. */
  readonly getIdToken: (audience: string) => Promise<string>
  /** The `aud` that the other side expects. */
  readonly audience: string
}

/**
 * Tokens of an app on Deno Deploy; their issuer is `https://oidc.deno.com`.
 *
 * @see https://docs.deno.com/deploy/reference/oidc/
 */
export function denoDeployToken({ getIdToken, audience }: DenoDeployTokenOptions): OidcTokenSource {
  return async ({ signal } = {}) => {
    signal?.throwIfAborted()
    return checkJwt(await untilAborted(getIdToken(audience), signal), 'deno-deploy')
  }
}
