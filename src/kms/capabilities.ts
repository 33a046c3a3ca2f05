/** Capabilities of a service. A call that it does not support throws `ERR_KMS_UNSUPPORTED`. */
export interface KmsCapabilities {
  /** Whether this instance may make and wrap data keys (`encrypt`), unwrap them (`decrypt`), or both. */
  readonly usage: 'encrypt' | 'decrypt' | 'both'
  /** Whether the KMS itself authenticates the context on unwrap. */
  readonly bindsContext: boolean
  /** Whether `rewrapDataKey` happens inside the KMS, so that the DEK does not enter this process. */
  readonly rewrapsInside: boolean
  /** Whether `rotateKey` works. */
  readonly rotates: boolean
  /** Whether wraps carry the KEK's version. */
  readonly revealsVersion: boolean
  /** Whether `unwrapMany` sends one call for many items. */
  readonly batches: boolean
  readonly limits: KmsLimits
  /**
   * The configured KEKs, as far as they are known without a request: an id, or an alias of AWS. Absent if they are
   * unknown.
   */
  readonly keks?: readonly string[]
  /**
   * Whether the context of a call selects the KEK, because each customer has its own. `canUnwrap`,
   * `currentVersion`, `rotateKey` and `healthCheck` then take the context too. Absent: every call uses the same
   * KEKs.
   */
  readonly keksByContext?: true
  /** Most wraps of a new data key, if there are several KEKs. Absent: there is one KEK. */
  readonly wraps?: number
}

/** Sizes in bytes. */
export interface KmsLimits {
  /** The longest wrapped DEK that the service makes or takes. */
  readonly maxWrappedBytes: number
  /** The longest canonical context (K of the wire format) that the service takes. */
  readonly maxContextBytes: number
}
