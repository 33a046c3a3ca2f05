/** One request that the fake received. It never holds a plaintext, a ciphertext, a secret or a token. */
export interface FakeVaultCall {
  readonly method: string
  /** Path below `/v1/`, with the namespace before it. */
  readonly path: string
  /**
   * `encrypt`, `decrypt`, `rewrap`, `datakey`, `keys`, `rotate`, `config`, `trim`, `login`, `renew-self`,
   * `lookup-self`, `revoke-self`, `health`; empty for an unknown path.
   */
  readonly operation: string
  /** `associated_data` as it was sent; in a batch that of the first item. */
  readonly associatedData?: string
  /** `context` as it was sent; in a batch that of the first item. */
  readonly context?: string
  /** Items of `batch_input`. */
  readonly items?: number
  /** Status of the answer; absent while there is none, and after a reset. */
  readonly status?: number
  /** Kind of the scripted fault that it met. */
  readonly fault?: string
}

/** A call while it is being answered. */
export type CallRecord = { -readonly [name in keyof FakeVaultCall]: FakeVaultCall[name] }
