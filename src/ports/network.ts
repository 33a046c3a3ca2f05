import type { AwsSigner } from './aws-signer.ts'

/** Access to the network and to timers. Tests and simulations replace it. */
export interface Network {
  /** Sends a request. Any function with the type of the web's `fetch` works. */
  fetch(url: string, init: RequestInit): Promise<NetworkResponse>
  /** Calls `callback` once after `delayMs`. Returns a function that cancels it. */
  after(delayMs: number, callback: () => void): () => void
  /** Returns a number in [0, 1) to spread load. Never use it for keys. */
  jitter(): number
  /**
   * Signs requests to AWS, unless you set an option `signer`. A platform may sign faster than WebCrypto. Absent:
   * aws4fetch over WebCrypto.
   */
  readonly awsSigner?: AwsSigner
}

/** The part of a response that is read. Every `Response` has it; a platform may return a cheaper object. */
export interface NetworkResponse {
  readonly status: number
  /** `opaqueredirect` if a platform hides a redirect that it must not follow. */
  readonly type?: string
  readonly headers: Pick<Headers, 'get'>
  readonly body: NetworkBody | null
}

/** A body that is read once, piece by piece, at the reader's pace. */
export interface NetworkBody {
  cancel(): Promise<void>
  getReader(): Pick<ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>, 'cancel' | 'read'>
}
