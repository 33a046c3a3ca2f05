import type { Bytes } from '../../src/bytes/index.ts'
import type { ObjectFacts } from './object-types.ts'

/** A part of the plaintext, in bytes. */
export interface ReturnedRange {
  readonly offset: number
  readonly length: number
}

/** An object that `get` found. */
export interface EncryptedObjectFacts extends ObjectFacts {
  readonly size: number
  readonly lengthVerified: boolean
  readonly range: ReturnedRange
  readonly customMetadata: Readonly<Record<string, string>>
}

/**
 * An object whose envelope was opened: its key, context, aad and custom metadata are verified. Each piece of the body is
 * verified before it is returned.
 *
 * Unless `lengthVerified` is true, only the end of the body proves that nothing was cut off: if the body errors,
 * discard everything that you wrote.
 */
export interface EncryptedObject extends ObjectFacts {
  /** Length of the whole plaintext, bytes; authentic if `lengthVerified`, else once the body has been read to the end. */
  readonly size: number
  /** Whether `size` is bound to the envelope, or the end of the plaintext was opened. */
  readonly lengthVerified: boolean
  /** The part of the plaintext that the body holds. */
  readonly range: ReturnedRange
  readonly customMetadata: Readonly<Record<string, string>>
  readonly body: ReadableStream<Uint8Array>
  readonly bodyUsed: boolean
  arrayBuffer(): Promise<ArrayBuffer>
  bytes(): Promise<Bytes>
  text(): Promise<string>
  json(): Promise<unknown>
  blob(): Promise<Blob>
}

/** Returns an object with the methods of a body. */
export function encryptedObject(
  facts: EncryptedObjectFacts,
  stream: ReadableStream<Uint8Array>,
): EncryptedObject {
  const response = new Response(stream)
  return {
    ...facts,
    get body() {
      return response.body as ReadableStream<Uint8Array>
    },
    get bodyUsed() {
      return response.bodyUsed
    },
    arrayBuffer: () => response.arrayBuffer(),
    bytes: async () => new Uint8Array(await response.arrayBuffer()),
    text: () => response.text(),
    json: async () => (await response.json()) as unknown,
    blob: () => response.blob(),
  }
}
