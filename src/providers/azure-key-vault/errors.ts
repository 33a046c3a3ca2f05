import { KmsError, type KmsErrorCode, type KmsErrorDetails } from '../../errors.ts'
import {
  type HttpResponse,
  type JsonObject,
  parseJsonObject,
  retryAfterMs,
} from '../../http/index.ts'

/**
 * Errors of Key Vault and Managed HSM, by the code inside (`innererror.code`) where there is one, else
 * by `error.code` ("Azure Key Vault REST API error codes", "Common error codes for Azure Key Vault").
 * Docs: `docs/providers/azure-key-vault.md`, "Errors".
 */
export const AZURE_KEY_VAULT_ERRORS: readonly {
  readonly code: KmsErrorCode
  readonly names: string
}[] = [
  { code: 'ERR_KMS_KEY_DISABLED', names: 'KeyDisabled KeyExpired KeyNotYetValid' },
  {
    code: 'ERR_KMS_KEY_NOT_FOUND',
    names: 'KeyNotFound ObjectIsDeletedButRecoverable VaultNotFound',
  },
  {
    code: 'ERR_KMS_ACCESS_DENIED',
    names:
      'AccessDenied Forbidden ForbiddenByConnection ForbiddenByFirewall ForbiddenByPolicy ForbiddenByRbac KeyOperationForbidden',
  },
  { code: 'ERR_KMS_UNAUTHENTICATED', names: 'Unauthorized' },
  { code: 'ERR_KMS_THROTTLED', names: 'Throttled TooManyRequests' },
  {
    code: 'ERR_KMS_UNAVAILABLE',
    names:
      'Conflict ConflictError InternalServerError ObjectIsBeingDeleted ObjectIsBeingRecovered ServiceUnavailable',
  },
  { code: 'ERR_KMS_CONFIG', names: 'BadArgument BadParameter' },
]

/** Facts of the call that stand on the error. */
export interface AzureCallFacts {
  readonly provider: string
  readonly operation: string
  readonly nowMs: number
}

/** Classifies an error answer. */
export function azureFailure(response: HttpResponse, facts: AzureCallFacts): KmsError {
  const { status, headers, body } = response
  const { provider, operation, nowMs } = facts
  const error = objectIn(parseJsonObject(body), 'error')
  const inner = objectIn(error, 'innererror') ?? objectIn(error, 'innerError')
  const names = [nameIn(inner), nameIn(error)].filter((name) => name !== '')
  const row = names
    .map((name) => AZURE_KEY_VAULT_ERRORS.find((one) => one.names.split(' ').includes(name)))
    .find((one) => one !== undefined)
  const code = row?.code ?? codeOfStatus(status)
  // R11: the one way in which Azure says that a ciphertext does not open.
  if (code === 'ERR_KMS_CONFIG' && operation === 'unwrapKey')
    return new KmsError('ERR_DECRYPT_FAILED')
  const details = {
    provider,
    operation,
    status,
    message: names.length === 0 ? undefined : `Azure answered ${names.reverse().join(', ')}`,
    requestId: /^[\w-]{1,128}$/.exec(headers.get('x-ms-request-id') ?? '')?.[0],
    retryAfterMs: retryAfterMs(headers, nowMs),
  } as KmsErrorDetails
  return new KmsError(code, details)
}

function objectIn(value: JsonObject | undefined, name: string): JsonObject | undefined {
  const member = value?.[name]
  return typeof member === 'object' && member !== null ? (member as JsonObject) : undefined
}

function nameIn(error: JsonObject | undefined): string {
  const name = error?.['code']
  return typeof name === 'string' && /^[A-Za-z]{1,64}$/.test(name) ? name : ''
}

function codeOfStatus(status: number): KmsErrorCode {
  if (status === 401) return 'ERR_KMS_UNAUTHENTICATED'
  if (status === 403) return 'ERR_KMS_ACCESS_DENIED'
  if (status === 404) return 'ERR_KMS_KEY_NOT_FOUND'
  if (status === 429) return 'ERR_KMS_THROTTLED'
  const passes = status === 408 || status === 409 || status >= 500
  return passes ? 'ERR_KMS_UNAVAILABLE' : 'ERR_KMS_RESPONSE_INVALID'
}
