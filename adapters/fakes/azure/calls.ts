/** One request that the fake received. It never holds a plaintext, a ciphertext, a secret or a token. */
export interface FakeAzureCall {
  readonly service: 'vault' | 'entra' | 'identity'
  /** As Azure's permissions name it, e.g. `wrapKey`; `token` of Entra and the metadata services. */
  readonly operation: string
  readonly host: string
  /** The key's name, as it was sent. */
  readonly key?: string
  /** The version that the URL named. */
  readonly version?: string
  readonly algorithm?: string
  /** The client id of the caller, once the token was found right. */
  readonly caller?: string
  /** The audience that a token was asked for. */
  readonly resource?: string
  /** Status of the answer; absent while there is none, and after a reset. */
  readonly status?: number
  /** Name of the error that was answered: the inner one, if there is one. */
  readonly error?: string
  /** Kind of the scripted fault that it met. */
  readonly fault?: string
}

/** A call while it is being answered. */
export type CallRecord = { -readonly [name in keyof FakeAzureCall]: FakeAzureCall[name] }
