import { KmsError, type KmsErrorCode, type KmsErrorDetails } from '../../errors.ts'
import {
  type HttpResponse,
  type JsonObject,
  parseJsonObject,
  retryAfterMs,
} from '../../http/index.ts'

/** Codes for some of Google's errors. */
export interface GcpErrorRow {
  readonly code: KmsErrorCode
  /** Names with blanks between them: reasons of ErrorInfo, types of PreconditionFailure, statuses. */
  readonly names: string
}

/**
 * Errors of Google's APIs: reasons first, then the canonical statuses (AIP-193 and google.rpc.Code).
 * INVALID_ARGUMENT of a Decrypt is the provider's to judge. Docs: `docs/providers/gcp-kms.md`, "Errors".
 */
export const GCP_ERRORS: readonly GcpErrorRow[] = [
  { code: 'ERR_KMS_CONFIG', names: 'SERVICE_DISABLED BILLING_DISABLED CONSUMER_INVALID' },
  { code: 'ERR_KMS_KEY_DISABLED', names: 'FAILED_PRECONDITION' },
  { code: 'ERR_KMS_KEY_NOT_FOUND', names: 'NOT_FOUND' },
  { code: 'ERR_KMS_ACCESS_DENIED', names: 'PERMISSION_DENIED' },
  { code: 'ERR_KMS_UNAUTHENTICATED', names: 'UNAUTHENTICATED' },
  { code: 'ERR_KMS_THROTTLED', names: 'RESOURCE_EXHAUSTED' },
  {
    code: 'ERR_KMS_UNAVAILABLE',
    names: 'UNAVAILABLE INTERNAL UNKNOWN ABORTED CANCELLED DATA_LOSS DEADLINE_EXCEEDED',
  },
  { code: 'ERR_KMS_CONFIG', names: 'INVALID_ARGUMENT OUT_OF_RANGE ALREADY_EXISTS' },
  { code: 'ERR_KMS_UNSUPPORTED', names: 'UNIMPLEMENTED' },
]

/**
 * Error domains of an external key manager, by how they begin: Google answers FAILED_PRECONDITION to all of
 * them. If the manager could not be reached, the next call may succeed.
 *
 * @see https://cloud.google.com/kms/docs/reference/ekm_errors
 */
const EKM_ERRORS: readonly GcpErrorRow[] = [
  { code: 'ERR_KMS_ACCESS_DENIED', names: 'EXTERNAL_PERMISSION_' },
  { code: 'ERR_KMS_KEY_NOT_FOUND', names: 'EXTERNAL_NOT_FOUND' },
  { code: 'ERR_KMS_CONFIG', names: 'EXTERNAL_KEY_' },
  { code: 'ERR_KMS_UNAVAILABLE', names: 'EXTERNAL_' },
]

/** A name in Google's grammar; anything else could be a body that speaks. */
const NAME = /^[A-Z][A-Z0-9_]{1,62}$/

/** Facts of the call that stand on the error. */
export interface GcpCallFacts {
  readonly provider: string
  readonly operation: string
  readonly nowMs: number
  /** The code of INVALID_ARGUMENT where the call itself is known to be right. */
  readonly invalidArgument?: KmsErrorCode | undefined
}

/** Google's error of a refused call (AIP-193), by REST or by Google's client. */
export interface GcpStatus {
  /** Name of the canonical code, e.g. `NOT_FOUND`; empty if there is none. */
  readonly canonical: string
  /** Reasons of ErrorInfo and types of PreconditionFailure, e.g. `KEY_DISABLED`. */
  readonly reasons?: readonly string[]
  /** Google's own message: it is read, but never repeated. */
  readonly message?: string
  /** Status of HTTP, if the call used HTTP. */
  readonly status?: number | undefined
  /** How long Google asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined
}

/** Classifies an error answer (AIP-193) by its reason, else its status, else that of HTTP. */
export function gcpFailure(response: HttpResponse, facts: GcpCallFacts): KmsError {
  const { status, headers, body } = response
  const error = objectField(parseJsonObject(body), 'error')
  const details = listField(error, 'details')
  const waits = retryAfterMs(headers, facts.nowMs) ?? details.map(delayOf).find(Number.isFinite)
  const told = {
    canonical: nameField(error, 'status'),
    reasons: details.flatMap(reasonsOf),
    message: textField(error, 'message'),
    status,
    retryAfterMs: waits,
  }
  return gcpErrorOf(told, facts)
}

/** The error that a status is: by its reasons, else its canonical code, else the status of HTTP. */
export function gcpErrorOf(
  { canonical, reasons = [], message = '', status, retryAfterMs: waits }: GcpStatus,
  { provider, operation, invalidArgument }: Omit<GcpCallFacts, 'nowMs'>,
): KmsError {
  const names = [...reasons, canonical].filter((name) => NAME.test(name))
  const row = names.map(rowOf).find((one) => one !== undefined)
  let code = row?.code ?? codeOfStatus(status ?? 0)
  if (canonical === 'INVALID_ARGUMENT') {
    // A request that was damaged on its way may arrive whole next time; its checksums were right here.
    if (/crc32c|checksum/i.test(message)) code = 'ERR_KMS_UNAVAILABLE'
    else if (row?.names.startsWith(canonical) === true) code = invalidArgument ?? code
  }
  const told = names.find((name) => name.startsWith('EXTERNAL_')) ?? names[0]
  return new KmsError(code, {
    provider,
    operation,
    status,
    message: told === undefined ? undefined : `Google answered ${told}`,
    retryAfterMs: waits,
  } as KmsErrorDetails)
}

function rowOf(name: string): GcpErrorRow | undefined {
  const known = GCP_ERRORS.find((one) => one.names.split(' ').includes(name))
  return known ?? EKM_ERRORS.find(({ names }) => name.startsWith(names))
}

/** The member, where it is an object. */
export function objectField(holder: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = holder !== undefined && Object.hasOwn(holder, name) ? holder[name] : undefined
  return typeof value === 'object' && value !== null ? (value as JsonObject) : undefined
}

function listField(holder: JsonObject | undefined, name: string): readonly JsonObject[] {
  const list: unknown = objectField(holder, name)
  if (!Array.isArray(list)) return []
  // Nobody needs more: an answer of 256 KiB could hold thousands.
  const some: readonly unknown[] = list.slice(0, 16)
  return some.filter((one): one is JsonObject => typeof one === 'object' && one !== null)
}

function textField(holder: JsonObject | undefined, name: string): string {
  const value = holder !== undefined && Object.hasOwn(holder, name) ? holder[name] : undefined
  return typeof value === 'string' ? value : ''
}

function nameField(holder: JsonObject | undefined, name: string): string {
  return NAME.exec(textField(holder, name))?.[0] ?? ''
}

/** Of google.rpc.ErrorInfo and google.rpc.PreconditionFailure. */
function reasonsOf(detail: JsonObject): string[] {
  return [
    nameField(detail, 'reason'),
    ...listField(detail, 'violations').map((one) => nameField(one, 'type')),
  ]
}

/** Of google.rpc.RetryInfo, in milliseconds. */
function delayOf(detail: JsonObject): number {
  const seconds = /^(\d{1,3}(?:\.\d{1,9})?)s$/.exec(textField(detail, 'retryDelay'))?.[1]
  return seconds === undefined ? NaN : Math.min(Number(seconds) * 1_000, 300_000)
}

function codeOfStatus(status: number): KmsErrorCode {
  if (status === 401) return 'ERR_KMS_UNAUTHENTICATED'
  if (status === 403) return 'ERR_KMS_ACCESS_DENIED'
  if (status === 429) return 'ERR_KMS_THROTTLED'
  return status === 408 || status >= 500 ? 'ERR_KMS_UNAVAILABLE' : 'ERR_KMS_RESPONSE_INVALID'
}
