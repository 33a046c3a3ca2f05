import { checkOptions, type OptionKinds } from '../../checks/index.ts'
import { askForJwt, webNetwork } from '../../runtime/index.ts'
import { assertionProof, ENTRA_KINDS, entraCredentials, type EntraOptions } from './entra.ts'
import type { AzureCredentialSource } from './token.ts'

/** Options of {@link azureFederatedToken}. */
export interface AzureFederatedTokenOptions extends EntraOptions {
  /** Returns an OIDC token of the issuer that the application trusts; called again at each renewal. */
  readonly token: () => Promise<string>
}

const KINDS: OptionKinds<AzureFederatedTokenOptions> = /* @__PURE__ */ (() => ({
  ...ENTRA_KINDS,
  token: 'function',
}))()

/**
 * Returns credentials of an application that trusts another issuer's OIDC tokens, without any stored Azure secret
 * (workload identity federation: AKS, CI, any OIDC issuer).
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://learn.microsoft.com/entra/workload-id/workload-identity-federation
 */
export function azureFederatedToken(options: AzureFederatedTokenOptions): AzureCredentialSource {
  checkOptions(options, KINDS)
  const { token, network = webNetwork } = options
  const callback = { name: 'token', provider: 'azure-entra', network }
  return entraCredentials(options, async ({ signal }) =>
    assertionProof(await askForJwt(() => token(), { ...callback, signal })),
  )
}
