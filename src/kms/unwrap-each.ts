import { isKmsError, type Outcome } from '../errors.ts'
import type {
  KeyManagementService,
  KmsSignalOptions,
  UnwrappedDataKey,
  UnwrapRequest,
} from './key-management-service.ts'

/** Calls in flight of one batch: Workers allow six connections that wait for an answer. */
const IN_FLIGHT = 6

/** {@link KeyManagementService.unwrapMany} for a service without batches: one call for each item. */
export async function unwrapEach(
  kms: Pick<KeyManagementService, 'unwrapDataKey'>,
  items: readonly UnwrapRequest[],
  options: KmsSignalOptions,
): Promise<readonly Outcome<UnwrappedDataKey>[]> {
  const outcomes = new Array<Outcome<UnwrappedDataKey>>(items.length)
  const queue = items.entries()
  const work = async (): Promise<void> => {
    for (const [i, { wraps, context }] of queue) {
      try {
        outcomes[i] = { ok: true, value: await kms.unwrapDataKey(wraps, { ...options, context }) }
      } catch (error) {
        if (!isKmsError(error)) throw error
        outcomes[i] = { ok: false, error }
      }
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, work))
  return outcomes
}
