import type { BoundedCalls } from './bounded-calls.ts'
import type { NextBytes, ObjectWrite, StreamPut, WrittenObject } from './object-store.ts'
import type { R2BucketBinding, R2ObjectBinding } from './r2-binding.ts'
import { r2Condition, r2Options, r2Work } from './r2-work.ts'

/** A `TransformStream` of Workers with a length: R2 takes a stream of known length only. */
type FixedLengthStreamClass = new (bytes: number) => TransformStream<Uint8Array, Uint8Array>

/** The longest object of one put: R2 documents 4.995 GiB. */
const MAX_BYTES = 5_363_000_000

/** Returns the put of a stream, or `undefined` where the platform has no `FixedLengthStream`. */
export function r2StreamPut(binding: R2BucketBinding, calls: BoundedCalls): StreamPut | undefined {
  const fixed: unknown = Reflect.get(globalThis, 'FixedLengthStream')
  if (typeof fixed !== 'function') return undefined
  const FixedLengthStream = fixed as FixedLengthStreamClass
  return {
    maxBytes: MAX_BYTES,
    async put(write, size, next) {
      const { readable, writable } = new FixedLengthStream(size)
      const { key, onlyIf } = write
      const options = { ...r2Options(write), ...r2Condition(onlyIf) }
      const putting = r2Work(() => binding.put(key, readable, options))
      return pump(writable.getWriter(), putting, { next, calls, write })
    },
  }
}

interface Pump {
  readonly next: NextBytes
  readonly calls: BoundedCalls
  readonly write: ObjectWrite
}

/** Hands the bytes over. Nothing is left under way when it settles, so nothing can appear later. */
async function pump(
  writer: WritableStreamDefaultWriter<Uint8Array>,
  putting: Promise<R2ObjectBinding | null>,
  { next, calls, write: { signal } }: Pump,
): Promise<WrittenObject | undefined> {
  // R2 answers before it has read the body if a condition does not hold.
  const early = putting.then(() => true)
  early.catch(() => undefined)
  const hand = (work: Promise<void>): Promise<boolean> => {
    work.catch(() => undefined)
    return calls.once('put', signal, () => Promise.race([early, work.then(() => false)]))
  }
  try {
    for (let piece = await next(); piece !== undefined; piece = await next()) {
      if (await hand(writer.write(piece))) return (await putting) ?? undefined
    }
    await hand(writer.close())
    return (await calls.once('put', signal, () => putting)) ?? undefined
  } catch (error) {
    void writer.abort(error).catch(() => undefined)
    await calls.once('put', undefined, () => putting).catch(() => undefined)
    throw error
  }
}
