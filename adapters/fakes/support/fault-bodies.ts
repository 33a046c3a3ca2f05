import { concatBytes, encodeUtf8 } from '../../../src/bytes/index.ts'

/** An answer before it becomes a `Response`: faults may still change it. */
export interface PlainAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A fault that the body may show. */
interface BodyFault {
  readonly kind: string
  /** For `oversized`, in bytes; 1,048,576 by default. */
  readonly sizeBytes?: number
}

/** The error of `fetch` when a connection breaks: as Node's. */
export function connectionReset(): TypeError {
  const cause = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
  return new TypeError('fetch failed', { cause })
}

/** The answer as a `Response`, with a body that behaves as the fault says. */
export function respond(
  answer: PlainAnswer,
  fault: BodyFault | undefined,
  request: Request,
): Response {
  const { status, headers } = answer
  const bytes = encodeUtf8(answer.body)
  const half = bytes.slice(0, Math.max(1, bytes.length >> 1))
  switch (fault?.kind) {
    case 'oversized': {
      const { 'content-length': _unstated, ...rest } = headers
      return new Response(padded(bytes, fault.sizeBytes ?? 1_048_576), { status, headers: rest })
    }
    case 'hang':
      return new Response(hanging(half, request), { status, headers })
    case 'truncated':
      return new Response(breaking(half), { status, headers })
    default:
      return new Response(answer.body === '' ? null : bytes, { status, headers })
  }
}

/** The body with white space behind it, which JSON and XML permit, a piece at a time. */
function padded(bytes: Uint8Array, sizeBytes: number): ReadableStream<Uint8Array> {
  let left = sizeBytes - bytes.length
  return new ReadableStream({
    start(controller) {
      controller.enqueue(concatBytes(bytes))
    },
    pull(controller) {
      if (left <= 0) controller.close()
      else controller.enqueue(new Uint8Array(Math.min(left, 65_536)).fill(0x20))
      left -= 65_536
    },
  })
}

/** Ends only with the request, so that a server in front of it is not left waiting for ever. */
function hanging(half: Uint8Array, request: Request): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(half)
      const signal = request.signal as AbortSignal | undefined
      const stop = (): void => {
        controller.error(signal?.reason)
      }
      if (signal?.aborted === true) stop()
      else signal?.addEventListener('abort', stop, { once: true })
    },
  })
}

function breaking(half: Uint8Array): ReadableStream<Uint8Array> {
  let sent = false
  return new ReadableStream({
    pull(controller) {
      if (sent) controller.error(new TypeError('terminated'))
      else controller.enqueue(half)
      sent = true
    },
  })
}
