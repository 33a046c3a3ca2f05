type Step = (
  piece: Uint8Array,
  controller: TransformStreamDefaultController<Uint8Array>,
) => void | Promise<void>

/** A transform that an abort errors at once, also while it waits for its source or its reader. */
export function abortableTransform(
  signal: AbortSignal | undefined,
  transform: Step,
  flush: (controller: TransformStreamDefaultController<Uint8Array>) => void | Promise<void>,
): TransformStream<Uint8Array, Uint8Array> {
  let controller: TransformStreamDefaultController<Uint8Array>
  const stop = (): void => {
    controller.error(signal?.reason)
  }
  const forget = (): void => {
    signal?.removeEventListener('abort', stop)
  }
  const transformer = {
    start(own: TransformStreamDefaultController<Uint8Array>): void {
      controller = own
      if (signal?.aborted) stop()
      else signal?.addEventListener('abort', stop)
    },
    transform,
    async flush(own: TransformStreamDefaultController<Uint8Array>): Promise<void> {
      await flush(own)
      forget()
    },
    cancel: forget, // of the standard, and not yet of the types
  }
  return new TransformStream<Uint8Array, Uint8Array>(transformer)
}
