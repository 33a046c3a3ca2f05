import { type Outcome, typedError } from '../errors.ts'
import { discard } from './discard.ts'
import type {
  KeyManagementService,
  KmsSignalOptions,
  UnwrappedDataKey,
  UnwrapRequest,
} from './key-management-service.ts'

/** Calls in flight of one batch: Workers allow six connections that wait for an answer. */
const IN_FLIGHT = 6

/**
 * Implements {@link KeyManagementService.unwrapMany} for a service without batches: one call for each item. An
 * error becomes the outcome of its item. An abort rejects, and wipes the keys that were unwrapped and those that
 * still arrive.
 */
export async function unwrapEach(
  kms: Pick<KeyManagementService, 'unwrapDataKey'>,
  items: readonly UnwrapRequest[],
  options: KmsSignalOptions,
): Promise<readonly Outcome<UnwrappedDataKey>[]> {
  const outcomes = new Array<Outcome<UnwrappedDataKey>>(items.length)
  const queue = items.entries()
  let late: typeof discard | undefined
  const work = async (): Promise<void> => {
    for (const [i, { wraps, context }] of queue) {
      try {
        const value = await kms.unwrapDataKey(wraps, { ...options, context })
        outcomes[i] = { ok: true, value }
        late?.(value)
      } catch (error) {
        const typed = typedError(error, 'ERR_KMS_UNAVAILABLE', options.signal)
        outcomes[i] = { ok: false, error: typed }
      }
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, work)).catch((error: unknown) => {
    late = discard
    late(outcomes)
    throw error
  })
  return outcomes
}
