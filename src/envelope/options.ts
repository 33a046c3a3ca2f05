import type {
  DataKeyOptions,
  DataKeySource,
  EnvelopeForm,
  KmsCacheConfig,
} from '../data-keys/index.ts'
import type { ContextInput, KmsSignalOptions } from '../kms/index.ts'
import type { MessageKind } from '../wire/index.ts'

/** Options of every call. Limit its time by `signal`, e.g. `AbortSignal.timeout(2_000)`. */
export type CallOptions = Pick<KmsSignalOptions, 'signal' | 'defer'>

/** Options of every call on one message. */
export interface MessageOptions extends CallOptions {
  /**
   * Bound to the data key. The KMS sees it and may log it in clear. Pass exactly the same context to decrypt. At
   * most 64 entries and 4,096 bytes.
   */
  readonly context?: ContextInput
  /**
   * Bound to this message. It never leaves the process. Pass exactly the same aad to decrypt. At most 64 entries
   * and 8,192 bytes.
   */
  readonly aad?: ContextInput
}

/** Options of a call that encrypts. */
export interface EncryptOptions extends MessageOptions {
  /** Overrides the cipher's `form` for this call. */
  readonly form?: EnvelopeForm
}

/** Options of `startStream`. */
export interface StartStreamOptions extends EncryptOptions {
  /**
   * Exact length of the plaintext in bytes, at most 2^52 - 1. The stream errors if more or fewer bytes
   * arrive. Without it the length of the envelope is unknown.
   */
  readonly plaintextBytes?: number | undefined
}

/** Result of `startStream`. */
export interface StartedStream {
  /** Exact length of the envelope in bytes; `undefined` if `plaintextBytes` was not given. */
  readonly envelopeBytes: number | undefined
  /** Turns the plaintext into the envelope. Use it once, or drop it. */
  readonly transform: TransformStream<Uint8Array, Uint8Array>
}

/** Options of a call that decrypts. */
export interface DecryptOptions extends MessageOptions {
  /** Kinds that this call accepts. The data never decides it. */
  readonly kinds?: readonly MessageKind[]
}

/** Options of a rewrap. */
export interface RewrapOptions extends CallOptions {
  readonly context?: ContextInput
  /**
   * `open` (default): the new wraps are proven to open the same DEK. `kms`: nothing is proven, for
   * workers that may only rewrap.
   */
  readonly verify?: 'open' | 'kms'
}

/** Options that any {@link EnvelopeCipherOptions} may have. */
interface CommonOptions {
  /** `inline` (default): the key header is in the message. `reference`: it is in the data-key store. */
  readonly form?: EnvelopeForm
  /** Versions of the wire format that are read; `[1]` by default. */
  readonly acceptVersions?: readonly number[]
  /** Plaintext of one record in bytes, to write and to read: 1 MiB by default, at most 1 GiB. Larger data is a stream. */
  readonly maxRecordBytes?: number
}

/** A cipher over a KMS: it makes and caches its own data keys. */
export interface KmsCipherOptions extends CommonOptions, DataKeyOptions {
  /** Limits of the cache in memory. `false` turns it off: every message costs a data key and a KMS call. */
  readonly cache?: KmsCacheConfig | false
}

/** A cipher over a data-key source of your own: its keys, limits and store are the source's. */
export interface SourceCipherOptions extends CommonOptions {
  readonly keys: DataKeySource
}

/** Options of `EnvelopeCipher`. */
export type EnvelopeCipherOptions = KmsCipherOptions | SourceCipherOptions
