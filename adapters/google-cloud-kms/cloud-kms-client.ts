/** Options of one call, as google-gax takes them. */
export interface CloudKmsCallOptions {
  /** In milliseconds. */
  readonly timeout: number
  /** The client's own retries are off: they would multiply with those of `RetryKms`. */
  readonly retry: null
}

/** A method of the client: the first member of what it resolves to is the answer. */
export type CloudKmsCall<Request> = (
  request: Request,
  options: CloudKmsCallOptions,
) => Promise<readonly [object, ...unknown[]]>

interface Name {
  name: string
}

interface Sum {
  value: string
}

interface OnDataKey extends Name {
  additionalAuthenticatedData: Uint8Array
  additionalAuthenticatedDataCrc32c: Sum
}

/**
 * The part of `KeyManagementServiceClient` of `@google-cloud/kms` that the transport uses. It is declared by its
 * shape, so this package compiles and loads without that one.
 */
export interface CloudKmsClient {
  readonly encrypt: CloudKmsCall<OnDataKey & { plaintext: Uint8Array; plaintextCrc32c: Sum }>
  readonly decrypt: CloudKmsCall<OnDataKey & { ciphertext: Uint8Array; ciphertextCrc32c: Sum }>
  readonly getCryptoKey: CloudKmsCall<Name>
  readonly getCryptoKeyVersion: CloudKmsCall<Name>
  readonly createCryptoKeyVersion: CloudKmsCall<{ parent: string; cryptoKeyVersion: object }>
  readonly updateCryptoKeyPrimaryVersion: CloudKmsCall<Name & { cryptoKeyVersionId: string }>
  readonly generateRandomBytes: CloudKmsCall<{
    location: string
    lengthBytes: number
    protectionLevel: 'HSM'
  }>
}
