import { isKmsError, KmsError, type Outcome } from '../errors.ts'
import {
  discard,
  type GeneratedDataKey,
  type HealthReport,
  type SecretBytes,
  type UnwrappedDataKey,
} from '../kms/index.ts'
import type { KmsOperation } from '../ports/index.ts'
import type { AuditedKey } from './audit-event.ts'

/** Whether an answer is good. A look into `undefined` is a no: a service is code of others. */
export function holds<T>(isGood: (answer: T) => boolean, answer: T): boolean {
  try {
    return isGood(answer)
  } catch {
    return false
  }
}

/** Whether it is a DEK with its wraps. */
export function isGenerated({ plaintext, wraps }: GeneratedDataKey): boolean {
  return isSecret(plaintext) && areKeys(wraps)
}

/** Whether it is a DEK, and the wrap that opened. */
export function isUnwrapped({ plaintext, by }: UnwrappedDataKey): boolean {
  return isSecret(plaintext) && areKeys([by])
}

/** Whether it is a list of wraps or versions, each with the names that a record holds. */
export function areKeys(keys: readonly AuditedKey[]): boolean {
  return (
    Array.isArray(keys) &&
    keys.every(({ provider, kekId, kekVersion }: AuditedKey) =>
      [provider, kekId, kekVersion].every((text: unknown) => typeof text === 'string'),
    )
  )
}

/** Whether it is a report on KEKs. */
export function isReport({ healthy, checks }: HealthReport): boolean {
  return typeof healthy === 'boolean' && Array.isArray(checks)
}

/** Returns an outcome for each item, a failure where the service gave none; wipes what is left over. */
export function outcomesOf(
  answer: unknown,
  count: number,
  provider: string,
): readonly Outcome<UnwrappedDataKey>[] {
  const given: readonly unknown[] = Array.isArray(answer) ? answer : []
  discard(Array.isArray(answer) ? given.slice(count) : answer)
  return Array.from({ length: count }, (_, i) => {
    const outcome = given[i] as Outcome<UnwrappedDataKey>
    if (holds(isOutcome, outcome)) return outcome
    discard(outcome)
    return { ok: false, error: invalidAnswer(provider, 'unwrapMany') }
  })
}

/** Returns the error of an answer that is not what the interface promises. */
export function invalidAnswer(provider: string, operation: KmsOperation): KmsError {
  const message = 'the KMS answered something else than its interface promises'
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { message, provider, operation })
}

function isOutcome(outcome: Outcome<UnwrappedDataKey>): boolean {
  return outcome.ok ? isUnwrapped(outcome.value) : isKmsError(outcome.error)
}

function isSecret(secret: SecretBytes): boolean {
  return secret.expose() instanceof Uint8Array
}
