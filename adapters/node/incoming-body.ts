import type { IncomingMessage } from 'node:http'
import type { NetworkBody } from '../../src/index.ts'

type Reader = ReturnType<NetworkBody['getReader']>
type Piece = Awaited<ReturnType<Reader['read']>>

/**
 * The body of an answer, at the pace of who reads it: what is not asked for stays in the socket,
 * which then holds the sender back.
 */
export class IncomingBody implements NetworkBody {
  readonly #incoming: IncomingMessage
  #ended = false
  #failure: Error | undefined
  #wake = (): void => undefined

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming
    incoming.on('readable', () => {
      this.#wake()
    })
    incoming.once('end', () => {
      this.#ended = true
      this.#wake()
    })
    incoming.on('error', (error) => {
      this.#fail(error)
    })
    // Not every runtime says by an error that a connection broke within a body.
    incoming.once('close', () => {
      if (!this.#ended) this.#fail(new Error('the connection was closed'))
    })
  }

  getReader(): Reader {
    return { read: () => this.#read(), cancel: () => this.cancel() }
  }

  /** Closes the connection: the rest of the body is not waited for. */
  cancel(): Promise<void> {
    this.#incoming.destroy()
    return Promise.resolve()
  }

  async #read(): Promise<Piece> {
    for (;;) {
      const value = this.#incoming.read() as Uint8Array<ArrayBuffer> | null
      if (value !== null) return { done: false, value }
      if (this.#ended) return { done: true, value: undefined }
      if (this.#failure !== undefined) throw this.#failure
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wake()
  }
}
