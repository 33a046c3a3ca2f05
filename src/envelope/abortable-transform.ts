type Controller = TransformStreamDefaultController<Uint8Array>

/** The two steps of a transform. */
export interface TransformSteps {
  readonly transform: (piece: Uint8Array, to: Controller) => Promise<void>
  readonly flush: (to: Controller) => Promise<void>
}

/**
 * Returns a transform that an abort errors at once, also while it waits for its source or its reader.
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
  const transformer = {
    start(own: Controller): void {
      controller = own
    },
    async transform(piece: Uint8Array, to: Controller): Promise<void> {
      try {
        await steps.transform(piece, to)
      } catch (error) {
        end()
        throw error
      }
    },
    async flush(to: Controller): Promise<void> {
      try {
        await steps.flush(to)
      } finally {
        end()
      }
    },
    cancel: end, // in the standard, but not in the types yet
  }
  const stream = new TransformStream<Uint8Array, Uint8Array>(transformer)
  return signal === undefined ? stream : whenTaken(stream, listen)
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
