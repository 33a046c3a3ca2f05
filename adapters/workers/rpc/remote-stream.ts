import type { KmsResult } from '../../../src/errors.ts'
import type { StreamAnswer } from './cipher-service.ts'
import { ownBytes } from './own-bytes.ts'
import { ask, fault, type IsValue, type RemoteCall } from './remote-call.ts'

type Source = ReadableStream<Uint8Array>

/** Longer than any error of ours. */
const MAX_OUTCOME_LENGTH = 65_536

/** Hands the source to the service. */
export type OpenStream = (source: Source) => Promise<KmsResult<StreamAnswer>>

type Ask = <T>(work: () => Promise<KmsResult<T>>, isValue: IsValue) => Promise<T>

/** The service's answer. */
interface Remote {
  readonly body: ReadableStreamDefaultReader<Uint8Array>
  readonly end: Source
}

/**
 * Returns a transform whose work a service does. It calls the service when it is first written to or read.
 *
 * Its error is the service's own, which travels beside the stream: over RPC a stream that breaks off has no
 * code. A source that errors and a reader that cancels end both sides, so nothing cut short ends cleanly.
 */
export function remoteStream(
  operation: string,
  call: RemoteCall,
  open: OpenStream,
): TransformStream<Uint8Array, Uint8Array> {
  return new RemoteStream(operation, call, open)
}

const isNull: IsValue = (value) => value === null

const isAnswer: IsValue = (value) => {
  const { body, end } = Object(value) as Partial<StreamAnswer>
  return [body, end].every((stream: unknown) => stream instanceof ReadableStream)
}

/** Returns the outcome that the service states. One without end is cut off, and then no JSON. */
async function outcomeIn(end: Source): Promise<KmsResult<null>> {
  const decoder = new TextDecoder()
  let json = ''
  for await (const piece of end) {
    json += decoder.decode(piece, { stream: true })
    if (json.length > MAX_OUTCOME_LENGTH) break // this cancels the stream
  }
  return JSON.parse(json) as KmsResult<null>
}

class RemoteStream {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
  readonly #operation: string
  readonly #signal: AbortSignal | undefined
  readonly #ask: Ask
  readonly #open: OpenStream
  readonly #input = new TransformStream<Uint8Array, Uint8Array>()
  readonly #writer: WritableStreamDefaultWriter<Uint8Array> = this.#input.writable.getWriter()
  #writing: WritableStreamDefaultController | undefined
  #reading: ReadableStreamDefaultController<Uint8Array> | undefined
  #remote: Promise<Remote> | undefined
  #outcome: Promise<null> | undefined
  #failure: { readonly reason: unknown } | undefined
  #hasEnded = false

  constructor(operation: string, call: RemoteCall, open: OpenStream) {
    this.#operation = operation
    this.#signal = call.signal
    this.#ask = (work, isValue) => ask(operation, call, work, isValue)
    this.#open = open
    this.#writer.closed.catch(() => undefined) // each write tells
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#writing = controller
      },
      write: (piece) => this.#write(piece),
      close: () => this.#send(() => this.#writer.close()),
      abort: (reason) => this.#fail(reason),
    })
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#reading = controller
        },
        pull: () => this.#pull(),
        cancel: (reason) => this.#fail(reason),
      },
      { highWaterMark: 0 }, // what nobody asked for stays with the service
    )
  }

  async #write(piece: Uint8Array): Promise<void> {
    let bytes: Uint8Array
    try {
      bytes = ownBytes(piece, 'a piece of a stream')
    } catch (error) {
      this.#fail(error) // the reader must hear of it too
      throw error
    }
    await this.#send(() => this.#writer.write(bytes))
  }

  /** Sends to the service. Its refusal to take more says nothing: the reason is its outcome. */
  async #send(work: () => Promise<void>): Promise<void> {
    try {
      await this.#opened()
      await work()
    } catch (error) {
      await this.#ended().catch((reason: unknown) => {
        this.#fail(reason)
      })
      this.#fail(error)
      throw this.#failure?.reason
    }
  }

  async #pull(): Promise<void> {
    try {
      const piece = await this.#next()
      if (piece !== undefined) return this.#reading?.enqueue(piece)
      this.#finish()
      this.#reading?.close()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Returns the next piece, or `undefined` after the last one if the service says that it was the last. */
  async #next(): Promise<Uint8Array | undefined> {
    const { body } = await this.#opened()
    let broken: unknown
    try {
      const { done, value } = await body.read()
      if (!done) return ownBytes(value, 'a piece of a stream')
    } catch (error) {
      broken = error
    }
    await this.#ended()
    if (broken !== undefined) throw fault('ERR_KMS_UNAVAILABLE', this.#operation, { cause: broken })
    return undefined
  }

  #opened(): Promise<Remote> {
    if (this.#remote !== undefined) return this.#remote
    this.#signal?.addEventListener('abort', this.#stop)
    this.#remote = this.#ask(() => this.#open(this.#input.readable), isAnswer).then(
      ({ body, end }) => ({ body: body.getReader(), end }),
    )
    this.#remote.catch((error: unknown) => {
      this.#fail(error)
    })
    return this.#remote
  }

  /** Waits for the outcome that the service states; rejects with its error. */
  async #ended(): Promise<null> {
    if (this.#failure !== undefined) throw this.#failure.reason
    this.#outcome ??= this.#opened().then(({ end }) => this.#ask(() => outcomeIn(end), isNull))
    return this.#outcome
  }

  /** Errors both sides here and gives up both streams of the service. The first reason counts. */
  #fail(reason: unknown): void {
    if (this.#hasEnded) return
    this.#failure = { reason }
    this.#finish()
    this.#writing?.error(reason)
    this.#reading?.error(reason)
    this.#writer.abort(reason).catch(() => undefined)
    this.#remote
      ?.then(({ body, end }) => Promise.allSettled([body.cancel(reason), end.cancel(reason)]))
      .catch(() => undefined)
  }

  #finish(): void {
    this.#hasEnded = true
    this.#signal?.removeEventListener('abort', this.#stop)
  }

  readonly #stop = (): void => {
    this.#fail(this.#signal?.reason)
  }
}
