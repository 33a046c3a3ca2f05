import { KmsError, type KmsErrorCode } from '../../errors.ts'
import { type HttpResponse, parseJsonObject, retryAfterMs } from '../../http/index.ts'

/** Codes for some of Vault's answers: by status where it has one, else by its words. */
export interface VaultErrorRow {
  readonly code: KmsErrorCode
  /** The message of the error: never Vault's own words, which may quote the request. */
  readonly message: string
  readonly statuses?: readonly number[]
  /** Matches one of Vault's `errors`. Vault has no other names for them. */
  readonly says?: RegExp
}

/** Statuses of every path: https://developer.hashicorp.com/vault/api-docs#http-status-codes */
export const COMMON_VAULT_ERRORS: readonly VaultErrorRow[] = [
  { code: 'ERR_KMS_UNAUTHENTICATED', statuses: [401], message: 'the token is refused' },
  {
    code: 'ERR_KMS_ACCESS_DENIED',
    statuses: [403],
    message: 'a policy refuses this, or the token is unknown, expired or revoked',
  },
  { code: 'ERR_KMS_UNSUPPORTED', statuses: [405], message: 'the operation is not supported' },
  { code: 'ERR_KMS_CONFIG', statuses: [413], message: 'the request is too large' },
  { code: 'ERR_KMS_THROTTLED', statuses: [429], message: 'a quota is used up' },
  { code: 'ERR_KMS_UNAVAILABLE', statuses: [412], message: 'the node is behind' },
  { code: 'ERR_KMS_UNAVAILABLE', statuses: [472, 473], message: 'the node is a standby' },
  { code: 'ERR_KMS_UNAVAILABLE', statuses: [501], message: 'the server is not initialised' },
  { code: 'ERR_KMS_UNAVAILABLE', statuses: [503], message: 'the server is sealed' },
]

/** Facts of the call that stand on the error. */
export interface VaultCallFacts {
  readonly provider: string
  readonly operation: string
  readonly nowMs: number
}

/** Classifies an error answer. */
export function vaultFailure(
  { status, headers, body }: HttpResponse,
  rows: readonly VaultErrorRow[],
  { provider, operation, nowMs }: VaultCallFacts,
): KmsError {
  const errors = parseJsonObject(body)?.['errors']
  const row = rowOf(status, Array.isArray(errors) ? errors.join('\n') : '', rows)
  const waits = retryAfterMs(headers, nowMs)
  return new KmsError(row?.code ?? codeOfStatus(status), {
    provider,
    operation,
    status,
    ...(row !== undefined && { message: `Vault: ${row.message}` }),
    ...(waits !== undefined && { retryAfterMs: waits }),
  })
}

/** The row of an answer with this status, or of one item of a batch, whose status would be 400. */
export function rowOf(
  status: number,
  text: string,
  rows: readonly VaultErrorRow[],
): VaultErrorRow | undefined {
  return [...rows, ...COMMON_VAULT_ERRORS].find(
    ({ statuses = [400], says }) => statuses.includes(status) && (says?.test(text) ?? true),
  )
}

function codeOfStatus(status: number): KmsErrorCode {
  return status === 408 || status >= 500 ? 'ERR_KMS_UNAVAILABLE' : 'ERR_KMS_RESPONSE_INVALID'
}
