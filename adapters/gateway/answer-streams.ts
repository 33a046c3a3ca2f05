import type { RequestBody } from './request-body.ts'

/** What the maker of a stream must know of its end. */
export interface StreamEnds {
  /** It failed after its first piece. */
  readonly onBroken: (error: unknown) => void
  /** Its reader gave it up. */
  readonly onCancel: (reason: unknown) => void
}

/**
 * Reads the first piece before there is an answer: what fails until then rejects, and can still be
 * a clean problem. What fails later errors the stream, and that must break the connection.
 */
export async function begun(
  source: ReadableStream<Uint8Array>,
  ends: StreamEnds,
): Promise<ReadableStream<Uint8Array>> {
  const reader = source.getReader()
  let first: ReadableStreamReadResult<Uint8Array> | undefined = await reader.read()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller): Promise<void> {
        try {
          const { done, value } = first ?? (await reader.read())
          first = undefined
          if (done) controller.close()
          else controller.enqueue(value)
        } catch (error) {
          ends.onBroken(error)
          throw error // errors this stream
        }
      },
      async cancel(reason): Promise<void> {
        ends.onCancel(reason)
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

/** The same answer, which ends only when the client has stopped sending: see {@link RequestBody.discard}. */
export async function lingering(response: Response, body: RequestBody): Promise<Response> {
  if (body.isEmpty) return response
  const content = new Uint8Array(await response.arrayBuffer())
  let sent = false
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller): Promise<void> {
        if (sent) {
          await body.discard()
          controller.close()
        } else {
          sent = true
          controller.enqueue(content)
        }
      },
      cancel: (reason) => body.cancel(reason),
    },
    { highWaterMark: 0 },
  )
  const { status, headers } = response
  return new Response(stream, { status, headers })
}
