import type { Outcome } from '../errors.ts'
import type { KmsCapabilities } from './capabilities.ts'
import type { EncryptionContext } from './context-encoding.ts'
import type { SecretBytes } from './secret-bytes.ts'
import type { KekVersion, WrappedKey } from './wrapped-key.ts'

/** Options of a call that has no context. */
export interface KmsSignalOptions {
  /** Aborts the call; it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Keeps work alive after the answer, e.g. `ctx.waitUntil` on Workers. */
  readonly defer?: ((work: Promise<unknown>) => void) | undefined
  /**
   * When `signal` will end the call, milliseconds since the epoch, where that is known: for layers
   * that share the time out. The signal is what ends it.
   */
  readonly deadlineMs?: number | undefined
  /**
   * A layer above ends this attempt in time, so a provider needs no default timeout of its own. Set by
   * `TimeoutKms`, together with `signal`.
   */
  readonly hasAttemptTimeout?: boolean | undefined
  /**
   * How long a layer waits for this KMS before it goes on without it, in milliseconds, where it may do
   * so before `deadlineMs`. Set by layers of a stack, for those below them.
   */
  readonly patienceMs?: number | undefined
  /** Reports of layers below while the call is in flight. Layers of a stack set it. */
  readonly progress?: KmsCallProgress | undefined
}

/** Reports of a layer that queues calls to the layer above it. */
export interface KmsCallProgress {
  /** Since when the KMS has this call, milliseconds since the epoch; `Infinity` while it queues. */
  askedAtMs: number
}

/** Options of a call on a data key. */
export interface KmsCallOptions extends KmsSignalOptions {
  /** K of the wire format: the caller's context plus `edge-kms:dk`. */
  readonly context: EncryptionContext
}

/** Options of a call on a KEK. */
export interface KmsKekOptions extends KmsSignalOptions {
  /** Which KEK is meant, where the context picks it (`capabilities.keksByContext`); else without effect. */
  readonly context?: EncryptionContext | undefined
}

/** A new DEK and its wraps. The receiver disposes the plaintext. */
export interface GeneratedDataKey {
  readonly plaintext: SecretBytes
  readonly wraps: readonly WrappedKey[]
}

/** A DEK that was unwrapped. The receiver disposes the plaintext. */
export interface UnwrappedDataKey {
  readonly plaintext: SecretBytes
  /** The wrap that opened. */
  readonly by: WrappedKey
  /** Whether that wrap is under the KEK's current version, where the service knows. */
  readonly current?: boolean
}

/** One item of {@link KeyManagementService.unwrapMany}. */
export interface UnwrapRequest {
  readonly wraps: readonly WrappedKey[]
  readonly context: EncryptionContext
}

/** Result of {@link KeyManagementService.healthCheck}, one row for each KEK. */
export interface HealthReport {
  readonly healthy: boolean
  readonly checks: readonly HealthCheck[]
}

/** One KEK's health. */
export interface HealthCheck {
  readonly provider: string
  readonly kekId: string
  readonly healthy: boolean
  /** The code of the error, where there was one. */
  readonly code?: string
}

/**
 * A vendor-neutral KMS. It wraps and unwraps DEKs and nothing else: deriving, committing and
 * caching happen above it. Providers and decorators implement every method and pass the contract
 * suite of `edge-kms/testing`. Lists, so that several KEKs are not a special case.
 *
 * @remarks Errors: `ERR_DECRYPT_FAILED` where the KMS says that a wrap is not valid for this key and
 * context; every other failure has a code of its own (`docs/error-codes.md`).
 */
export interface KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities

  /**
   * Whether a wrap is for one of the configured keys, compared by bytes; no I/O.
   *
   * @param context - of the call that the wrap is for. Only a service with `capabilities.keksByContext`
   * reads it: it answers for the KEK of that context
   */
  canUnwrap(wrap: WrappedKey, context?: EncryptionContext): boolean

  /**
   * Makes a DEK of 32 uniformly random bytes and wraps it under every configured KEK.
   *
   * @throws KmsError `ERR_KMS_RESPONSE_INVALID` if the KMS answers a DEK of another length
   */
  generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey>

  /** Wraps a DEK under the current version of every configured KEK. Leaves `plaintext` alone. */
  wrapDataKey(plaintext: SecretBytes, options: KmsCallOptions): Promise<readonly WrappedKey[]>

  /**
   * Opens one of the wraps, in the service's own order of preference; wraps that are not ours are
   * passed over. The result is what the KMS answered, of any length: an attacker may have planted a wrap
   * of something else. The caller must treat all but 32 bytes, and 32 zero bytes, as a wrong DEK, and call
   * again with the remaining wraps.
   *
   * @throws KmsError `ERR_ENVELOPE_UNKNOWN_KEY` before any I/O if no wrap is for a configured key.
   */
  unwrapDataKey(wraps: readonly WrappedKey[], options: KmsCallOptions): Promise<UnwrappedDataKey>

  /** Many at once: in order, one outcome for each; never rejects for one item. */
  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]>

  /**
   * Returns new wraps of the same DEK under the configured KEKs, made inside the KMS where it can. Outside, a
   * wrap that does not open to 32 bytes is passed over.
   */
  rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]>

  /** The version that each configured KEK wraps with now. */
  currentVersion(options: KmsKekOptions): Promise<readonly KekVersion[]>

  /** Makes a new version of each configured KEK current. Old versions still unwrap. */
  rotateKey(options: KmsKekOptions): Promise<readonly KekVersion[]>

  /** Proves that each KEK can be used, without throwing for one that cannot. */
  healthCheck(options: KmsKekOptions): Promise<HealthReport>
}
