import { isKmsError } from '../errors.ts'
import type { Network } from '../ports/index.ts'
import { sleep } from './sleep.ts'

/** Pauses before the second, third and fourth attempt, milliseconds. */
const PAUSES_MS = [500, 1_000, 2_000]

/**
 * Returns what the work answers, within at most four attempts: for metadata servers, which may not be
 * ready in the first seconds of a machine or a pod. A pause is as long as the answer asks for, else
 * 0.5, 1 and 2 seconds with half of it at random.
 *
 * @param maxPauseMs - the longest pause that an answer may ask for; work is not repeated after one that asks for more
 * @throws the last error; at once an error that is not retryable, and the signal's reason
 */
export async function retrying<T>(
  work: () => Promise<T>,
  network: Network,
  signal: AbortSignal | undefined,
  maxPauseMs: number = Infinity,
): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await work()
    } catch (error) {
      signal?.throwIfAborted()
      if (!isKmsError(error) || !error.retryable) throw error
      const asked = error.retryAfterMs ?? 0
      if (asked > maxPauseMs) throw error
      await sleep(network, Math.max(asked, pauseMs * (0.5 + network.jitter() / 2)), signal)
    }
  }
  return work()
}
