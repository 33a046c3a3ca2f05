import type { AwsSigner } from './aws-signer.ts'

/** The only way to the network and to timers; tests and simulations bring their own. */
export interface Network {
  /** As the web's `fetch`, of which any function of that type will do. */
  fetch(url: string, init: RequestInit): Promise<NetworkResponse>
  /** Calls back once after `delayMs`, unless the function that it returns is called before. */
  after(delayMs: number, callback: () => void): () => void
  /** A number in [0, 1) that spreads load. Never for keys. */
  jitter(): number
  /**
   * Signs what is sent to AWS, unless an option `signer` does: a platform may have something faster than WebCrypto.
   * Absent: aws4fetch over WebCrypto.
   */
  readonly awsSigner?: AwsSigner
}

/** The part of an answer that is read. Every `Response` is one; a platform may have something cheaper. */
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
