/** The services that the fake plays. */
export type FakeGcpService = 'kms' | 'iam' | 'sts' | 'oauth' | 'metadata'

/** One request that the fake received. It never holds a plaintext, a ciphertext, a secret or a token. */
export interface FakeGcpCall {
  readonly service: FakeGcpService
  /** E.g. `Encrypt`, `GetCryptoKey`, `GenerateAccessToken`; empty if the path does not name one. */
  readonly operation: string
  /** The resource that the path names. */
  readonly name: string
  /** additionalAuthenticatedData as it was sent, in base64. */
  readonly aad?: string
  /** Resource name of the version that was used. */
  readonly version?: string
  /** The caller, once its token was verified: an e-mail address or a `principal://`. */
  readonly caller?: string
  /** Status of the answer; absent while there is none, and after a reset. */
  readonly status?: number
  /** Canonical status, or the code of a token endpoint's error, that was answered. */
  readonly error?: string
  /** Kind of the scripted fault that it met. */
  readonly fault?: string
}

/** A call while it is being answered. */
export type CallRecord = { -readonly [name in keyof FakeGcpCall]: FakeGcpCall[name] }
