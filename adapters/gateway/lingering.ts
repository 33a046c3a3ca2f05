import type { RequestBody } from './request-body.ts'
import { sizedResponse } from './response.ts'

/** Returns the same answer, whose stream ends only when the client has stopped sending: see {@link RequestBody.discard}. */
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
  return sizedResponse(stream, content.length, { status, headers })
}
