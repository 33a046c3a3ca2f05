import type { KmsError, Outcome } from '../errors.ts'

/**
 * What a batch says of its KMS as one call: nothing bad if one item was opened, for then the KMS is
 * there; else the error of an item that may succeed later counts over the others.
 */
export function batchError(outcomes: readonly Outcome<unknown>[]): KmsError | undefined {
  const errors = outcomes.flatMap((outcome) => (outcome.ok ? [] : [outcome.error]))
  if (errors.length < outcomes.length) return undefined
  return errors.find(({ retryable }) => retryable) ?? errors[0]
}
