/** One error of Azure's, with where Microsoft says so. */
interface ErrorRow {
  readonly status: number
  readonly code: string
  readonly inner?: string
  readonly message: string
  /** `documented`: the page; `client`: what Microsoft's own clients expect; `ours`: the name is not documented. */
  readonly source: string
}

/** The rows of the table. */
export type RefusalKind =
  | 'badParameter'
  | 'unauthorized'
  | 'noToken'
  | 'forbidden'
  | 'operationForbidden'
  | 'disabled'
  | 'expired'
  | 'notFound'
  | 'conflict'
  | 'throttled'
  | 'internal'
  | 'unavailable'

/** Every error of a vault that the fake can answer. */
const ROWS: Readonly<Record<RefusalKind, ErrorRow>> = {
  badParameter: {
    status: 400,
    code: 'BadParameter',
    message: 'The parameter is incorrect.',
    source: 'documented: Azure Key Vault REST API reference, KeyVaultError',
  },
  unauthorized: {
    status: 401,
    code: 'Unauthorized',
    message: 'AKV10022: Invalid audience, signature or lifetime of the token.',
    source: 'documented: REST API error codes, HTTP 401',
  },
  noToken: {
    status: 401,
    code: 'Unauthorized',
    message: 'AKV10000: Request is missing a Bearer or PoP token.',
    source: "client: recordings of Microsoft's own clients",
  },
  forbidden: {
    status: 403,
    code: 'Forbidden',
    inner: 'ForbiddenByPolicy',
    message: 'The application does not have this permission on the key vault.',
    source: 'documented: REST API error codes, HTTP 403; Common error codes',
  },
  operationForbidden: {
    status: 403,
    code: 'Forbidden',
    inner: 'KeyOperationForbidden',
    message: 'Operation is not permitted on this key.',
    source: 'documented: Troubleshooting of the Key Vault clients, Operation not permitted',
  },
  disabled: {
    status: 403,
    code: 'Forbidden',
    inner: 'KeyDisabled',
    message: 'Operation is not allowed on a disabled key.',
    source: 'documented: About keys, enabled; client: Azure/azure-sdk-for-python#45342',
  },
  expired: {
    status: 403,
    code: 'Forbidden',
    inner: 'KeyExpired',
    message: 'Operation is not allowed on an expired key.',
    source: 'documented: About keys, date-time controlled operations; ours: the inner code',
  },
  notFound: {
    status: 404,
    code: 'KeyNotFound',
    message: 'A key with this name and version was not found in this key vault.',
    source: 'documented: Azure Key Vault REST API reference, KeyVaultError',
  },
  conflict: {
    status: 409,
    code: 'Conflict',
    inner: 'ObjectIsDeletedButRecoverable',
    message: 'The key is deleted but recoverable.',
    source: 'documented: Soft-delete overview, key vault objects',
  },
  throttled: {
    status: 429,
    code: 'Throttled',
    message: 'Request was not processed because too many requests were received.',
    source: 'documented: Azure Key Vault throttling guidance',
  },
  internal: {
    status: 500,
    code: 'InternalServerError',
    message: 'The service has an error.',
    source: 'documented: Authentication, requests and responses, 5xx',
  },
  unavailable: {
    status: 503,
    code: 'ServiceUnavailable',
    message: 'The service is unavailable.',
    source: 'documented: Authentication, requests and responses, 5xx',
  },
}

/** An error answer of a vault or an HSM. */
export class Refusal extends Error {
  readonly status: number
  readonly code: string
  readonly inner: string | undefined

  constructor(kind: RefusalKind) {
    const row = ROWS[kind]
    super(row.message)
    this.name = 'Refusal'
    this.status = row.status
    this.code = row.code
    this.inner = row.inner
  }
}

/**
 * An error answer of Entra's token endpoint.
 *
 * @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes
 */
export class TokenRefusal extends Error {
  readonly status: number
  readonly error: string
  readonly number: number

  constructor(status: number, error: string, number: number) {
    super(`AADSTS${String(number)}`)
    this.name = 'TokenRefusal'
    this.status = status
    this.error = error
    this.number = number
  }
}
