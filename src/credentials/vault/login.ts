import { plainOptions, refuseOthers, wrongOption } from '../../checks/index.ts'
import type { JsonObject } from '../../http/index.ts'
import type { VaultErrorRow } from './errors.ts'
import { checkVaultPath } from './paths.ts'
import { readToken, type VaultLogin, type VaultToken } from './token.ts'
import type { VaultHttp } from './vault-http.ts'
import {
  askCallback,
  type CallbackOptions,
  type FlightOptions,
  jwtOf,
} from '../../runtime/index.ts'

const PROVIDER = 'vault-auth'

/** The mount of an auth method. */
export interface VaultMount {
  /** Its path below `auth/`; the method's usual one by default. */
  readonly mount?: string | undefined
  /** Its namespace, if it differs from the key's. */
  readonly namespace?: string | undefined
}

/** A secret, or a function that returns it and is called again at each login. */
export type VaultSecret = string | (() => Promise<string>)

/** Options of {@link vaultAppRole}. */
export interface VaultAppRoleOptions extends VaultMount {
  readonly roleId: string
  /** Absent for roles with `bind_secret_id` = `false`. */
  readonly secretId?: VaultSecret
}

/** Options of {@link vaultKubernetes} and {@link vaultJwt}. */
export interface VaultJwtOptions extends VaultMount {
  readonly role?: string
  /** Returns a token of the platform or the issuer; called again at each login. */
  readonly jwt: () => Promise<string>
}

/** Codes for a refused login. Every bad claim, id or secret is 400, a lockout or a reviewer's no is 403. */
export const LOGIN_ERRORS: readonly VaultErrorRow[] = [
  {
    code: 'ERR_KMS_UNAUTHENTICATED',
    statuses: [400, 401, 403],
    message: 'the login is refused',
  },
  { code: 'ERR_KMS_CONFIG', statuses: [404, 405], message: 'the auth method is not mounted there' },
]

/**
 * Returns a login by AppRole: a role id and a secret id.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://developer.hashicorp.com/vault/api-docs/auth/approle
 */
export function vaultAppRole(options: VaultAppRoleOptions): VaultLogin {
  const { roleId, secretId, mount, namespace, ...others } = plainOptions(options)
  refuseOthers(others)
  checkText('roleId', roleId)
  if (!['undefined', 'function'].includes(typeof secretId))
    checkText('secretId', secretId as string)
  return loginBy('approle', { mount, namespace }, async (vault, signal) => ({
    role_id: roleId,
    ...(secretId !== undefined && {
      secret_id: checkText('secretId', await valueOf('secretId', secretId, vault, signal)),
    }),
  }))
}

/**
 * Returns a login by Kubernetes: the token of a service account, which Vault asks the cluster to review.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://developer.hashicorp.com/vault/api-docs/auth/kubernetes
 */
export function vaultKubernetes(options: VaultJwtOptions & { readonly role: string }): VaultLogin {
  checkText('role', options.role)
  return jwtLogin('kubernetes', options)
}

/**
 * Returns a login by JWT or OIDC: a token of an issuer whose keys Vault knows, e.g. of GitHub Actions. An OIDC mount
 * accepts it for roles of type `jwt`.
 *
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://developer.hashicorp.com/vault/api-docs/auth/jwt
 *
 * @example
 * ```ts
 * import { createVaultTransitKms, vaultJwt } from 'edge-kms/vault-transit'
 *
 * export function kmsOf(idToken: () => Promise<string>) {
 *   return createVaultTransitKms({
 *     endpoint: 'https://vault.example.com:8200',
 *     key: 'app',
 *     auth: vaultJwt({ role: 'encrypt-and-decrypt', jwt: idToken }),
 *   })
 * }
 * ```
 */
export function vaultJwt(options: VaultJwtOptions): VaultLogin {
  return jwtLogin('jwt', options)
}

function jwtLogin(method: string, options: VaultJwtOptions): VaultLogin {
  const { role, jwt, mount, namespace, ...others } = plainOptions(options)
  refuseOthers(others)
  if (role !== undefined) checkText('role', role)
  if (typeof jwt !== 'function') throw wrongOption('jwt', 'a function', jwt)
  return loginBy(method, { mount, namespace }, async (vault, signal) => {
    const text: unknown = await valueOf('jwt', jwt, vault, signal)
    return { jwt: jwtOf(text, PROVIDER), ...(role !== undefined && { role }) }
  })
}

/** Logs in by what `credentials` gives. */
export function loginBy(
  method: string,
  { mount = method, namespace }: VaultMount,
  credentials: (vault: VaultHttp, signal: AbortSignal | undefined) => Promise<JsonObject>,
): VaultLogin {
  checkVaultPath('mount', mount)
  if (namespace !== undefined) checkVaultPath('namespace', namespace)
  return {
    async login(vault: VaultHttp, { signal }: FlightOptions = {}): Promise<VaultToken> {
      const path = `auth/${mount}/login`
      const body = await credentials(vault, signal)
      const operation = `login ${method}`
      const answer = await vault.ask(
        { method: 'POST', path, body, namespace, operation, signal },
        LOGIN_ERRORS,
      )
      return readToken(answer, vault.ports.runtime.now())
    },
  }
}

/**
 * Returns the secret itself.
 *
 * @param name - of its option, for errors
 */
export async function valueOf(
  name: string,
  secret: VaultSecret,
  { ports: { network } }: VaultHttp,
  signal: AbortSignal | undefined,
): Promise<string> {
  if (typeof secret !== 'function') return secret
  const callback: CallbackOptions = { name, provider: PROVIDER, network, signal }
  return askCallback(secret, callback)
}

/** Names what is wrong, never the value. */
export function checkText(name: string, text: string): string {
  if (typeof text === 'string' && text !== '' && text.length <= 4_096) return text
  throw wrongOption(name, 'a string of 1 to 4,096 characters', text)
}
