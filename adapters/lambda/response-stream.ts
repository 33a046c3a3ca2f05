import { plainOptions } from '../../src/checks/index.ts'
import { piecesOf, type AnswerBody } from './answer-body.ts'

/** Status, headers and body of an answer. */
export interface StreamedAnswer {
  /** 200 by default. */
  readonly statusCode?: number
  readonly headers?: Readonly<Record<string, string>>
  /** For function URLs and HTTP APIs. */
  readonly cookies?: readonly string[]
  /** `null`, as `fetch` gives it, is an answer without a body. */
  readonly body?: AnswerBody | null
}

/**
 * Returns the answer of a handler as it is. Status and headers of a `Response` would be lost.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for anything but a plain object
 */
export function checkedAnswer(answer: StreamedAnswer): StreamedAnswer {
  return plainOptions(answer, 'the answer of the handler')
}

/** The members that we use of the stream that Lambda hands to a streaming handler. */
export interface ResponseStream {
  readonly destroyed?: boolean
  write(piece: Uint8Array | string): boolean
  end(): void
  once(event: string, listener: (error?: Error) => void): unknown
  removeListener(event: string, listener: (error?: Error) => void): unknown
}

/** The members that we use of the global `awslambda` of Lambda's Node runtimes. */
export interface AwsLambdaGlobal {
  streamifyResponse<H>(handler: H): H
  readonly HttpResponseStream: {
    from(stream: ResponseStream, metadata: object): ResponseStream
  }
}

/** Sends one answer. Until its first byte is sent, another answer may take its place. */
export class AnswerSender {
  readonly #lambda: AwsLambdaGlobal
  readonly #stream: ResponseStream
  #started = false

  constructor(lambda: AwsLambdaGlobal, stream: ResponseStream) {
    this.#lambda = lambda
    this.#stream = stream
  }

  /** Whether status and headers have left. */
  get started(): boolean {
    return this.#started
  }

  /**
   * Sends the status with the first piece of the body, so that a body that fails at its start is a clean error.
   * Does not end the stream if the body fails later: Lambda then breaks the response off.
   */
  async send(answer: StreamedAnswer, signal?: AbortSignal): Promise<void> {
    const { statusCode = 200, headers = {}, cookies, body } = checkedAnswer(answer)
    const pieces = piecesOf(body, signal)
    try {
      const first = await pieces.next()
      const metadata = { statusCode, headers, ...(cookies !== undefined && { cookies }) }
      const stream = this.#lambda.HttpResponseStream.from(this.#stream, metadata)
      this.#started = true
      // An empty write sends the status of an answer without a body.
      await written(stream, first.done === true ? '' : first.value, signal)
      for await (const piece of pieces) await written(stream, piece, signal)
      stream.end()
    } finally {
      await pieces.return() // cancels a body that was not read to its end
    }
  }
}

/** Settles when the stream takes the next piece. */
async function written(
  stream: ResponseStream,
  piece: Uint8Array | string,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (stream.destroyed === true) throw closed()
  if (stream.write(piece)) return
  await new Promise<void>((resolve, reject) => {
    const listeners: Readonly<Record<string, (error?: Error) => void>> = {
      drain: () => settle(),
      error: (error) => settle(error ?? closed()),
      close: () => settle(closed()),
    }
    const settle = (error?: Error): void => {
      for (const [event, listener] of Object.entries(listeners)) {
        stream.removeListener(event, listener)
      }
      signal?.removeEventListener('abort', onAbort)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onAbort = (): void => settle(signal?.reason as Error)
    for (const [event, listener] of Object.entries(listeners)) stream.once(event, listener)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function closed(): Error {
  return new Error('the response stream was closed before the answer was complete')
}
