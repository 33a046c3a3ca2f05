import { isKmsError, type KmsResult, type Outcome } from '../../../src/errors.ts'
import type { Bytes } from '../../../src/bytes/index.ts'
import { isBytes, outcomeOfResult } from './remote-call.ts'

/** Limits of one call: with the largest headers its answer stays below the 32 MiB that RPC carries. */
const PART = { bytes: 8 * 1_048_576, items: 256 } as const

/** One item as it crosses, and what it weighs. */
export interface Weighed<T> {
  readonly item: T
  readonly bytes: number
}

/** An item that is ready to be sent, or the outcome of one that is not sent. */
export type Prepared<T> = Weighed<T> | Outcome<never>

/**
 * Returns one outcome for each item, in order, from as many calls as the limit of RPC asks for, one after
 * the other.
 *
 * @param items - each one weighed, or the outcome of one that is not sent
 * @param call - returns as many results as it got items
 * @throws KmsError of a call, except `ERR_ENVELOPE_TOO_LARGE`, which is the outcome of its items
 */
export async function inParts<T>(
  operation: string,
  items: readonly Prepared<T>[],
  call: (part: readonly T[]) => Promise<readonly KmsResult<Bytes>[]>,
): Promise<readonly Outcome<Bytes>[]> {
  const outcomes: Outcome<Bytes>[] = []
  for (let at = 0; at < items.length;) {
    const end = endOfPart(items, at)
    const part = items.slice(at, end)
    const sent = part.filter((one) => 'item' in one)
    const got = sent.length === 0 ? [] : await resultsOf(operation, sent, call)
    let next = 0
    outcomes.push(...part.map((one) => ('item' in one ? (got[next++] as Outcome<Bytes>) : one)))
    at = end
  }
  return outcomes
}

function endOfPart(items: readonly Prepared<unknown>[], start: number): number {
  let bytes = 0
  const most = Math.min(items.length, start + PART.items)
  for (let at = start; at < most; at++) {
    const one = items[at] as Prepared<unknown>
    bytes += 'item' in one ? one.bytes : 0
    if (bytes > PART.bytes && at > start) return at
  }
  return most
}

async function resultsOf<T>(
  operation: string,
  sent: readonly Weighed<T>[],
  call: (part: readonly T[]) => Promise<readonly KmsResult<Bytes>[]>,
): Promise<readonly Outcome<Bytes>[]> {
  try {
    const results = await call(sent.map(({ item }) => item))
    return results.map((one) => outcomeOfResult(operation, one, isBytes))
  } catch (error) {
    if (!isKmsError(error, 'ERR_ENVELOPE_TOO_LARGE')) throw error
    return sent.map(() => ({ ok: false, error }))
  }
}

/** Returns an item to send, or its error as an outcome; a mistake that is not a `KmsError` throws. */
export function prepared<T>(weigh: () => Weighed<T>): Prepared<T> {
  try {
    return weigh()
  } catch (error) {
    if (isKmsError(error)) return { ok: false, error }
    throw error
  }
}
