import { type Bytes, toBytes } from '../bytes/index.ts'
import { KmsError } from '../errors.ts'
import type { Network } from '../ports/index.ts'
import { withTimeout } from '../runtime/index.ts'
import type { ReadPolicy } from '../wire/index.ts'
import { type FoundHead, HeadReader } from './head-reader.ts'
import type { ReadEnvelopeRange } from './range-options.ts'

/** Reads a range of the envelope, checked. */
export type RangeSource = (start: number, end: number) => Promise<Bytes>

const FIRST_READ_BYTES = 1_024

/** The bounds of each read. */
export interface ReadBounds {
  readonly timeoutMs: number
  readonly network: Pick<Network, 'after'>
  readonly signal: AbortSignal | undefined
}

/** Returns the caller's reads: each ends in time, and its answer is checked. */
export function rangeSource(read: ReadEnvelopeRange, bounds: ReadBounds): RangeSource {
  const error = (): KmsError => {
    const message = `read() did not answer within ${String(bounds.timeoutMs)} ms (readTimeoutMs)`
    return new KmsError('ERR_STORE_UNAVAILABLE', { message })
  }
  return async (start, end) => {
    const answer = await withTimeout((signal) => read(start, end, signal), { ...bounds, error })
    const bytes = toBytes(answer, 'the result of read()')
    // A server that ignores the range must not make offsets lie.
    if (bytes.length > end - start) {
      const asked = `${String(start)} to ${String(end)}`
      throw new TypeError(`read() returned ${String(bytes.length)} bytes for the range ${asked}`)
    }
    return bytes
  }
}

/** Reads the head of the message, and at least as much of its body as every stream has. */
export async function readHead(source: RangeSource, policy: ReadPolicy): Promise<FoundHead> {
  const heads = new HeadReader(policy)
  let at = 0
  // Twice as much each time: a header with many wraps must not cost a read for each of its fields.
  for (let until = FIRST_READ_BYTES; ; until *= 2) {
    const bytes = await source(at, until)
    const found = heads.push(bytes)
    if (found !== undefined) return found
    if (bytes.length < until - at) throw heads.end()
    at = until
  }
}
