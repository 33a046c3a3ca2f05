/** An error as Google's APIs name it (AIP-193). */
export interface ErrorRow {
  /** Canonical status of google.rpc.Code. */
  readonly status: string
  readonly http: number
  readonly message: string
  /** Reason of google.rpc.ErrorInfo, where the error has one. */
  readonly reason?: string
  /** Type of google.rpc.PreconditionFailure, where the error has one. */
  readonly violation?: string
  /** The source of the row; `recorded` is an answer of Google's that a public issue keeps. */
  readonly source: string
}

/** The rows of the table. */
export type RefusalKind =
  | 'accessDenied'
  | 'alreadyExists'
  | 'badCiphertext'
  | 'badChecksum'
  | 'expiredToken'
  | 'internal'
  | 'invalid'
  | 'keyDestroyed'
  | 'keyDisabled'
  | 'keyPending'
  | 'missingCredentials'
  | 'notFound'
  | 'precondition'
  | 'throttled'
  | 'unauthenticated'
  | 'unavailable'
  | 'wrongKey'

const row = (http: number, status: string, message: string, source: string): ErrorRow => ({
  http,
  status,
  message,
  source,
})

const TOKEN_MESSAGE =
  'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or ' +
  'other valid authentication credential.'

/** Every error that the fake can answer. */
export const ERROR_TABLE: Readonly<Record<RefusalKind, ErrorRow>> = {
  accessDenied: row(403, 'PERMISSION_DENIED', 'Permission denied.', 'recorded in many issues'),
  alreadyExists: row(409, 'ALREADY_EXISTS', 'Requested entity already exists.', 'google.rpc.Code'),
  badCiphertext: row(
    400,
    'INVALID_ARGUMENT',
    'Decryption failed: the ciphertext is invalid.',
    'recorded: googleapis/python-docs-samples issue 2465',
  ),
  badChecksum: row(
    400,
    'INVALID_ARGUMENT',
    'A checksum did not match.',
    'Cloud KMS, Data integrity guidelines',
  ),
  expiredToken: {
    ...row(401, 'UNAUTHENTICATED', TOKEN_MESSAGE, 'google.api.ErrorReason'),
    reason: 'ACCESS_TOKEN_EXPIRED',
  },
  internal: row(500, 'INTERNAL', 'Internal error encountered.', 'google.rpc.Code'),
  invalid: row(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.', 'google.rpc.Code'),
  keyDestroyed: {
    ...row(400, 'FAILED_PRECONDITION', 'The version is not enabled.', 'as keyDisabled'),
    violation: 'KEY_DESTROYED',
  },
  keyDisabled: {
    ...row(
      400,
      'FAILED_PRECONDITION',
      'The version is not enabled.',
      'recorded: gcloud kms encrypt under a disabled version',
    ),
    violation: 'KEY_DISABLED',
  },
  keyPending: {
    ...row(400, 'FAILED_PRECONDITION', 'The version is not enabled.', 'as keyDisabled'),
    violation: 'KEY_PENDING_GENERATION',
  },
  missingCredentials: {
    ...row(
      401,
      'UNAUTHENTICATED',
      'Request is missing required authentication credential.',
      'google.api.ErrorReason',
    ),
    reason: 'CREDENTIALS_MISSING',
  },
  notFound: row(404, 'NOT_FOUND', 'Requested entity was not found.', 'google.rpc.Code'),
  precondition: row(400, 'FAILED_PRECONDITION', 'Precondition check failed.', 'google.rpc.Code'),
  throttled: {
    ...row(
      429,
      'RESOURCE_EXHAUSTED',
      "Quota exceeded for quota metric 'Cryptographic requests'.",
      'google.api.ErrorReason',
    ),
    reason: 'RATE_LIMIT_EXCEEDED',
  },
  unauthenticated: row(401, 'UNAUTHENTICATED', TOKEN_MESSAGE, 'google.rpc.Code'),
  unavailable: row(503, 'UNAVAILABLE', 'The service is currently unavailable.', 'google.rpc.Code'),
  wrongKey: row(
    400,
    'INVALID_ARGUMENT',
    "Decryption failed: verify that 'name' refers to the correct CryptoKey.",
    'recorded: googleapis/nodejs-kms issue 145',
  ),
}
