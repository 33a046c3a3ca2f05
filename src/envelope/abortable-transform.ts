type Controller = TransformStreamDefaultController<Uint8Array>

/** Takes what a transform gives on. */
export type Target = Pick<Controller, 'enqueue'>

/** The two steps of a transform. */
export interface TransformSteps {
  readonly transform: (piece: Uint8Array, to: Target) => Promise<void>
  readonly flush: (to: Target) => Promise<void>
}

/** Stops a step whose reader has left. */
const GONE = new Error('the reader cancelled the stream')

/**
 * Returns a transform that an abort errors at once, also while it waits for its source or its reader. A step
 * in which the reader leaves just stops: its cancel is not an error. A step that an abort cuts rejects with the
 * signal's reason.
 *
 * It listens to the signal from the first time that somebody takes one of its two sides until it ends,
 * fails or is cancelled: a signal that outlives its streams keeps none of them.
 */
export function abortableTransform(
  signal: AbortSignal | undefined,
  steps: TransformSteps,
): TransformStream<Uint8Array, Uint8Array> {
  let controller: Controller
  let state: 'unused' | 'listening' | 'ended' = 'unused'
  let cancelled = false
  const end = (): void => {
    state = 'ended'
    signal?.removeEventListener('abort', stop)
  }
  const stop = (): void => {
    end()
    controller.error(signal?.reason)
  }
  const listen = (): void => {
    if (state !== 'unused') return
    state = 'listening'
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop)
  }
  const step = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      end()
      if (signal?.aborted) throw signal.reason
      if (error !== GONE && !cancelled) throw error
    }
  }
  const transformer = {
    start(own: Controller): void {
      controller = own
    },
    transform: (piece: Uint8Array, to: Controller) =>
      step(() => steps.transform(piece, targetOf(to))),
    flush: (to: Controller) => step(() => steps.flush(targetOf(to))).finally(end),
    // In the standard, but not in the types yet.
    cancel(): void {
      cancelled = true
      end()
    },
  }
  const stream = new TransformStream<Uint8Array, Uint8Array>(transformer)
  return signal === undefined ? stream : whenTaken(stream, listen)
}

/** A platform says that nobody reads any more by a `TypeError`. */
function targetOf(to: Controller): Target {
  return {
    enqueue(bytes): void {
      try {
        to.enqueue(bytes)
      } catch {
        throw GONE
      }
    },
  }
}

/** Calls `taken` whenever somebody takes the readable or the writable side, as a pipe does. */
function whenTaken(
  stream: TransformStream<Uint8Array, Uint8Array>,
  taken: () => void,
): TransformStream<Uint8Array, Uint8Array> {
  const { readable, writable } = stream
  const side = <T>(value: T): PropertyDescriptor => ({
    get(): T {
      taken()
      return value
    },
  })
  return Object.defineProperties(stream, { readable: side(readable), writable: side(writable) })
}
