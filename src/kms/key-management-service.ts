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
   * When `signal` will abort, in milliseconds since the epoch, if that is known. Layers use it to divide the time
   * that is left; only the signal ends the call.
   */
  readonly deadlineMs?: number | undefined
  /**
   * Set by `TimeoutKms`, together with `signal`: a layer above limits the time of this attempt, so the provider
   * does not apply its default timeout.
   */
  readonly hasAttemptTimeout?: boolean | undefined
  /**
   * How long the layer above waits for this KMS before it continues without it, in milliseconds. Layers of a stack
   * set it for the layers below them, if that can happen before `deadlineMs`.
   */
  readonly patienceMs?: number | undefined
  /** Receives reports of the layers below while the call is in flight. Layers of a stack set it. */
  readonly progress?: KmsCallProgress | undefined
}

/** Reports of a layer that queues calls to the layer above it. */
export interface KmsCallProgress {
  /** When the call was sent to the KMS, in milliseconds since the epoch; `Infinity` while it is queued. */
  askedAtMs: number
}

/** Options of a call on a data key. */
export interface KmsCallOptions extends KmsSignalOptions {
  /** K of the wire format: the caller's context plus `edge-kms:dk`. */
  readonly context: EncryptionContext
}

/** Options of a call on a KEK. */
export interface KmsKekOptions extends KmsSignalOptions {
  /** Selects the KEK if `capabilities.keksByContext` is true; otherwise ignored. */
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
  /** Whether that wrap is under the KEK's current version, if the service knows. */
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
  /** Code of the error, if there was one. */
  readonly code?: string
}

/**
 * A vendor-neutral KMS. It wraps and unwraps DEKs and nothing else: deriving, committing and caching happen above
 * it. Providers and decorators implement every method and pass the contract suite of `edge-kms/testing`. It takes
 * and returns lists of wraps, so several KEKs are not a special case.
 *
 * @remarks Errors: `ERR_DECRYPT_FAILED` if the KMS says that a wrap is not valid for this key and context; every
 * other failure has its own code (`docs/error-codes.md`).
 */
export interface KeyManagementService {
  readonly providerName: string
  readonly capabilities: KmsCapabilities

  /**
   * Returns whether a wrap is for one of the configured keys. It compares bytes and does no I/O.
   *
   * @param context - context of the call that the wrap is for. It selects the KEK if `capabilities.keksByContext`
   * is true; otherwise it is ignored
   */
  canUnwrap(wrap: WrappedKey, context?: EncryptionContext): boolean

  /**
   * Makes a DEK of 32 uniformly random bytes and wraps it under every configured KEK.
   *
   * @throws KmsError `ERR_KMS_RESPONSE_INVALID` if the KMS answers a DEK of another length
   */
  generateDataKey(options: KmsCallOptions): Promise<GeneratedDataKey>

  /** Wraps a DEK under the current version of every configured KEK. Does not change `plaintext`. */
  wrapDataKey(plaintext: SecretBytes, options: KmsCallOptions): Promise<readonly WrappedKey[]>

  /**
   * Unwraps the DEK from one of the wraps. The service tries them in its own order of preference and skips wraps of
   * keys that it is not configured for.
   *
   * The result is what the KMS answered, of any length, because an attacker may have planted a wrap of something
   * else. If it is not 32 bytes, or is 32 zero bytes, the caller must treat it as a wrong DEK and call again with
   * the remaining wraps.
   *
   * @throws KmsError `ERR_ENVELOPE_UNKNOWN_KEY` before any I/O if no wrap is for a configured key.
   */
  unwrapDataKey(wraps: readonly WrappedKey[], options: KmsCallOptions): Promise<UnwrappedDataKey>

  /** Unwraps many DEKs. Returns one outcome for each item, in order, and never rejects because one item failed. */
  unwrapMany(
    items: readonly UnwrapRequest[],
    options: KmsSignalOptions,
  ): Promise<readonly Outcome<UnwrappedDataKey>[]>

  /**
   * Returns new wraps of the same DEK under the configured KEKs. They are made inside the KMS if it supports that.
   * Otherwise this process unwraps the DEK and wraps it again, and skips a wrap that does not open to 32 bytes.
   */
  rewrapDataKey(
    wraps: readonly WrappedKey[],
    options: KmsCallOptions,
  ): Promise<readonly WrappedKey[]>

  /** Returns the version that each configured KEK wraps with now. */
  currentVersion(options?: KmsKekOptions): Promise<readonly KekVersion[]>

  /** Creates a new version of each configured KEK and makes it current. Old versions still unwrap. */
  rotateKey(options?: KmsKekOptions): Promise<readonly KekVersion[]>

  /** Tests whether each KEK can be used. A KEK that fails is part of the report and does not make the call throw. */
  healthCheck(options?: KmsKekOptions): Promise<HealthReport>
}
