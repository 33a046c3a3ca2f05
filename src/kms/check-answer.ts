import { KmsError, type Outcome, typedError } from '../errors.ts'
import { discard } from './discard.ts'
import type { GeneratedDataKey, HealthReport, UnwrappedDataKey } from './key-management-service.ts'
import type { SecretBytes } from './secret-bytes.ts'
import type { KekVersion, WrappedKey } from './wrapped-key.ts'

/**
 * Returns the answer of a service if it has the shape that the interface promises; else wipes what it
 * holds. A service is code of others: an answer may be anything.
 *
 * @throws KmsError `ERR_KMS_RESPONSE_INVALID`
 */
export function checkAnswer<T>(provider: string, answer: T, isGood: (answer: T) => boolean): T {
  if (holds(isGood, answer)) return answer
  discard(answer)
  const message = 'the answer of the KMS does not have the shape of its interface'
  throw new KmsError('ERR_KMS_RESPONSE_INVALID', { message, provider })
}

/** Whether it is a DEK with its wraps. The length of the DEK is for the caller to judge. */
export function isGenerated({ plaintext, wraps }: GeneratedDataKey): boolean {
  return isSecret(plaintext) && areWraps(wraps)
}

/** Whether it is a DEK, and the wrap that opened. */
export function isUnwrapped({ plaintext, by }: UnwrappedDataKey): boolean {
  return isSecret(plaintext) && isWrap(by)
}

/** Returns one outcome for each item of a batch, whatever the service answered; wipes the rest. */
export function outcomesOf(answer: unknown, length: number): readonly Outcome<UnwrappedDataKey>[] {
  const given: readonly (Outcome<UnwrappedDataKey> | undefined)[] = Array.isArray(answer)
    ? answer
    : []
  discard(given.slice(length))
  return Array.from({ length }, (_, i): Outcome<UnwrappedDataKey> => {
    const outcome = given[i]
    if (outcome?.ok === true && holds(isUnwrapped, outcome.value)) return outcome
    discard(outcome)
    const error = outcome?.ok === false ? outcome.error : missing()
    return { ok: false, error: typedError(error, 'ERR_KMS_RESPONSE_INVALID', undefined) }
  })
}

/** Returns the error of an item that a batch did not answer. */
export function missing(): KmsError {
  return new KmsError('ERR_KMS_RESPONSE_INVALID', { message: 'the KMS did not answer an item' })
}

/** Whether they are wraps, one at least. */
export function areWraps(wraps: readonly WrappedKey[]): boolean {
  return Array.isArray(wraps) && wraps.length > 0 && wraps.every(isWrap)
}

/** Whether it is a list of KEKs and their versions. */
export function areVersions(versions: readonly KekVersion[]): boolean {
  return Array.isArray(versions) && versions.every(isVersion)
}

/** Whether it is a report on KEKs. */
export function isReport({ healthy, checks }: HealthReport): boolean {
  return typeof healthy === 'boolean' && Array.isArray(checks)
}

function isSecret(secret: SecretBytes): boolean {
  const { length } = secret.expose()
  return typeof secret.dispose === 'function' && secret.length === length
}

function isWrap(wrap: WrappedKey): boolean {
  return isVersion(wrap) && wrap.wrapped instanceof Uint8Array
}

function isVersion({ provider, kekId, kekVersion }: KekVersion): boolean {
  return [provider, kekId, kekVersion].every((text: unknown) => typeof text === 'string')
}

/** A look into `undefined`, or a secret that was wiped, is a no. */
function holds<T>(isGood: (answer: T) => boolean, answer: T): boolean {
  try {
    return isGood(answer)
  } catch {
    return false
  }
}
