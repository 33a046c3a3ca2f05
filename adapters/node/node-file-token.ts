import { fileToken, type OidcTokenSource } from '../../src/credentials/oidc/index.ts'
import { textOfFile } from './text-file.ts'

/**
 * Returns a source of OIDC tokens that the platform keeps in a file and renews there, on Node, Deno and Bun. It is
 * `fileToken` of `edge-kms/oidc` over `node:fs`, and reads the file at each exchange.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for an invalid path. When a token is requested: `ERR_KMS_CONFIG` if the file
 * cannot be read, and `ERR_KMS_UNAUTHENTICATED` if it does not hold a token
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
