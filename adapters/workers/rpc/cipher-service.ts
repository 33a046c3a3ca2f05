import type { Bytes } from '../../../src/bytes/index.ts'
import type {
  DecryptItem,
  DecryptOptions,
  EncryptItem,
  EncryptOptions,
  KmsResult,
  MessageKind,
  RewrapOptions,
  WrappedKey,
} from '../../../src/index.ts'

/** Options of a message that cross RPC: a signal or a callback does not. */
type Crossing<T> = Omit<T, 'signal' | 'defer'>

/** Names the cipher of a call. */
export interface NamedKey {
  /** A name that the service's `createCiphers` gives; `default` by default. */
  readonly key?: string
}

/** Options of a call that encrypts. */
export interface ServiceEncryptOptions extends Crossing<EncryptOptions>, NamedKey {}

/** Options of a call that decrypts. */
export interface ServiceDecryptOptions extends Crossing<DecryptOptions>, NamedKey {}

/** Options of a call that rewraps. */
export interface ServiceRewrapOptions extends Crossing<RewrapOptions>, NamedKey {}

/** Options of `decryptMany`. */
export interface ServiceDecryptManyOptions extends NamedKey {
  readonly kinds?: readonly MessageKind[]
}

/** Options of `inspect`. */
export interface ServiceInspectOptions extends NamedKey {
  /** Whether the bytes are only the beginning of a message: 72 KiB hold every head. */
  readonly prefix?: boolean
}

/** An envelope's claims about itself. Nothing of it is authenticated. */
export interface EnvelopeFacts {
  readonly version: number
  readonly kind: MessageKind
  /** Names the data key, as base64url. */
  readonly commitment: string
  readonly createdAtMs?: number
  /** The context that the header carries in clear. */
  readonly storedContext?: Readonly<Record<string, string>>
  /** The wraps by their length. */
  readonly wraps: readonly (Omit<WrappedKey, 'wrapped'> & { readonly wrappedBytes: number })[]
  readonly headBytes: number
  /** Whether one of the wraps is for a key of this cipher; `false` for a message by reference. */
  readonly canOpen: boolean
}

/** A stream that the service returns, and how it ended. */
export interface StreamAnswer {
  /** The bytes. If it breaks off, it errors and never ends cleanly. */
  readonly body: ReadableStream<Uint8Array>
  /**
   * The JSON of a `KmsResult<null>`, once `body` has ended: workerd drops the code and the message of the
   * error of a stream. `body` is whole only if `ok` is true.
   */
  readonly end: ReadableStream<Uint8Array>
}

/** One result for each item, in order. */
export type ManyResult = Promise<KmsResult<readonly KmsResult<Bytes>[]>>

/** The answer of a method that takes a stream. */
export type StreamResult = Promise<KmsResult<StreamAnswer>>

/**
 * The methods that a `CipherEntrypoint` offers by RPC, and that `createCipherClient` needs of a binding. Only plain
 * values and streams of bytes cross; failures are values, because RPC loses error classes.
 */
export interface CipherService {
  encrypt(plaintext: Bytes, options?: ServiceEncryptOptions): Promise<KmsResult<Bytes>>
  decrypt(envelope: Bytes, options?: ServiceDecryptOptions): Promise<KmsResult<Bytes>>
  encryptText(text: string, options?: ServiceEncryptOptions): Promise<KmsResult<string>>
  decryptText(text: string, options?: ServiceDecryptOptions): Promise<KmsResult<string>>
  encryptMany(items: readonly EncryptItem[], options?: NamedKey): ManyResult
  decryptMany(items: readonly DecryptItem[], options?: ServiceDecryptManyOptions): ManyResult
  encryptStream(source: ReadableStream<Uint8Array>, options?: ServiceEncryptOptions): StreamResult
  decryptStream(source: ReadableStream<Uint8Array>, options?: ServiceDecryptOptions): StreamResult
  rewrap(envelope: Bytes, options?: ServiceRewrapOptions): Promise<KmsResult<Bytes>>
  rewrapStream(source: ReadableStream<Uint8Array>, options?: ServiceRewrapOptions): StreamResult
  inspect(
    envelope: Bytes | string,
    options?: ServiceInspectOptions,
  ): Promise<KmsResult<EnvelopeFacts>>
}
