import { checkOptions, configError, type OptionKinds } from '../../checks/index.ts'
import { KmsError } from '../../errors.ts'
import { assertionProof, ENTRA_KINDS, entraCredentials, type EntraOptions } from './entra.ts'
import type { AzureCredentialSource } from './token.ts'

/** Options of {@link azureFederatedToken}. */
export interface AzureFederatedTokenOptions extends EntraOptions {
  /** Gives an OIDC token of the issuer that the application trusts; asked again at each renewal. */
  readonly token: () => Promise<string>
}

const KINDS: OptionKinds<AzureFederatedTokenOptions> = { ...ENTRA_KINDS, token: 'function' }

/**
 * An application that trusts another issuer's OIDC tokens (workload identity federation: AKS, CI, any
 * OIDC issuer): no Azure secret is stored anywhere.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://learn.microsoft.com/entra/workload-id/workload-identity-federation
 */
export function azureFederatedToken(options: AzureFederatedTokenOptions): AzureCredentialSource {
  checkOptions(options, KINDS)
  const { token } = options
  if (typeof token !== 'function') throw configError('token must be a function')
  return entraCredentials(options, async () => {
    const assertion = await token()
    // A JWT is base64url in three parts; anything else would be sent to Entra in a log-friendly form.
    if (typeof assertion !== 'string' || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(assertion)) {
      throw new KmsError('ERR_KMS_UNAUTHENTICATED', {
        provider: 'azure-entra',
        message: 'the token is not a JWT',
      })
    }
    return assertionProof(assertion)
  })
}
