import { KmsError } from '../../errors.ts'
import { type JsonObject, stringField } from '../../http/index.ts'
import type { FlightOptions } from '../../runtime/index.ts'
import type { VaultHttp } from './vault-http.ts'

/** A token, and how long it lives. */
export interface VaultToken {
  readonly clientToken: string
  /** When it was logged in for, milliseconds since the epoch. */
  readonly issuedAtMs: number
  /** The lease that it was first given, in milliseconds. Absent: it does not expire. */
  readonly leaseMs?: number
  readonly expiresAtMs?: number
  readonly renewable: boolean
}

/** A method to log in: `vaultToken`, `vaultAppRole`, `vaultKubernetes`, `vaultJwt`, `vaultAwsIam`. */
export interface VaultLogin {
  /** Returns a token. It is called at the first use, when a token cannot be renewed, and when Vault refuses one. */
  login(vault: VaultHttp, options?: FlightOptions): Promise<VaultToken>
}

/**
 * The token in an answer of a login or a renewal.
 *
 * @throws KmsError `ERR_KMS_RESPONSE_INVALID`
 */
export function readToken(answer: JsonObject, nowMs: number): VaultToken {
  const auth = (answer['auth'] ?? {}) as JsonObject
  const clientToken = stringField(auth, 'client_token')
  const seconds = auth['lease_duration']
  if (!isToken(clientToken) || typeof seconds !== 'number' || !(seconds >= 0)) {
    throw new KmsError('ERR_KMS_RESPONSE_INVALID', { message: 'the answer has no token' })
  }
  const leaseMs = seconds * 1_000
  return {
    clientToken,
    issuedAtMs: nowMs,
    // A root token has a lease of 0: it does not expire.
    ...(leaseMs > 0 && { leaseMs, expiresAtMs: nowMs + leaseMs }),
    renewable: auth['renewable'] === true,
  }
}

/** A line break would add a header of the attacker's choice. */
export function isToken(text: string): boolean {
  return /^[\x21-\x7e]{1,8192}$/.test(text)
}
