/** Abilities of a service. A call that it does not support throws `ERR_KMS_UNSUPPORTED`. */
export interface KmsCapabilities {
  /** Which half of the contract this instance may use. */
  readonly usage: 'encrypt' | 'decrypt' | 'both'
  /** The KMS itself authenticates the context on unwrap. */
  readonly bindsContext: boolean
  /** `rewrapDataKey` happens inside the KMS: the DEK does not enter this process. */
  readonly rewrapsInside: boolean
  /** `rotateKey` works. */
  readonly rotates: boolean
  /** Wraps carry the KEK's version. */
  readonly revealsVersion: boolean
  /** `unwrapMany` sends one call for many. */
  readonly batches: boolean
  readonly limits: KmsLimits
  /**
   * The KEKs that it is configured for, by what is known without asking: an id, or an alias of AWS.
   * Absent where that cannot be said.
   */
  readonly keks?: readonly string[]
  /**
   * The context of a call picks the KEK: customers have KEKs of their own. `canUnwrap`, `currentVersion`,
   * `rotateKey` and `healthCheck` then take the context too. Absent: every call has the same KEKs.
   */
  readonly keksByContext?: true
  /** How many wraps a new data key gets from several KEKs, at most. Absent: it is one KEK. */
  readonly wraps?: number
}

/** Sizes in bytes. */
export interface KmsLimits {
  /** The longest wrapped DEK that the service makes or takes. */
  readonly maxWrappedBytes: number
  /** The longest canonical context (K of the wire format) that the service takes. */
  readonly maxContextBytes: number
}
