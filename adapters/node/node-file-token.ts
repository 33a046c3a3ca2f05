import { fileToken, type OidcTokenSource } from '../../src/credentials/oidc/index.ts'
import { textOfFile } from './text-file.ts'

/**
 * OIDC tokens that the platform keeps in a file and renews there, on Node, Deno and Bun: `fileToken` of
 * `edge-kms/oidc` over `node:fs`. The file is read at each exchange.
 *
 * @throws KmsError `ERR_KMS_CONFIG`; when a token is asked for, also where the file cannot be read, and
 * `ERR_KMS_UNAUTHENTICATED` where it holds no token
 *
 * @example
 * ```ts
 * import { nodeFileToken } from 'edge-kms/node'
 * import { createVaultTransitKms, vaultKubernetes } from 'edge-kms/vault-transit'
 *
 * export const kms = createVaultTransitKms({
 *   endpoint: 'https://vault.example.com:8200',
 *   key: 'app',
 *   auth: vaultKubernetes({ role: 'app', jwt: nodeFileToken('/var/run/secrets/tokens/vault') }),
 * })
 * ```
 */
export function nodeFileToken(path: string): OidcTokenSource {
  return fileToken({ path, readTextFile: textOfFile })
}
