import { encodeUtf8 } from '../../../src/bytes/index.ts'
import { isKmsError, KmsError, type KmsResult } from '../../../src/errors.ts'
import type { StreamAnswer } from '../rpc/cipher-service.ts'

/**
 * Returns the two streams that answer a call: the bytes, and how they ended.
 *
 * The bytes do not go through a `pipeTo`: workerd ends one cleanly whose reader cancels through RPC.
 *
 * @throws TypeError if the source is not a `ReadableStream`
 */
export function answerStream(
  source: ReadableStream<Uint8Array>,
  transform: TransformStream<Uint8Array, Uint8Array>,
): StreamAnswer {
  if (!((source as unknown) instanceof ReadableStream)) {
    throw new TypeError('source must be a ReadableStream of bytes')
  }
  const reader = source.pipeThrough(transform).getReader()
  let settle: (outcome: KmsResult<null>) => void
  const outcome = new Promise<KmsResult<null>>((resolve) => {
    settle = resolve
  })
  const failed = (error: unknown): void => {
    settle({ ok: false, error: streamError(error).toJSON() })
  }
  // A failure reaches the client when it happens, also a client that writes and does not read yet.
  reader.closed.catch(failed)

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await reader.read() // a rejection errors the body
        if (!done) {
          controller.enqueue(value)
          return
        }
        settle({ ok: true, value: null })
        controller.close()
      },
      async cancel(reason) {
        failed(reason)
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return { body, end: whenSettled(outcome) }
}

/** A stream of one piece: the JSON of the outcome. */
function whenSettled(outcome: Promise<KmsResult<null>>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        controller.enqueue(encodeUtf8(JSON.stringify(await outcome)))
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}

/** A stream that fails for another reason than ours lost its source or its reader. */
function streamError(error: unknown): KmsError {
  if (isKmsError(error)) return error
  const message = 'the stream broke off: its source errored, or its reader cancelled'
  return new KmsError('ERR_KMS_UNAVAILABLE', { message, provider: 'cipher-service' })
}
