import type { Bytes } from '../../bytes/index.ts'
import type { KmsSignalOptions } from '../../kms/index.ts'

/** A resource name of Cloud KMS, `projects/…`. */
interface Named {
  readonly name: string
}

/** Fields that Encrypt and Decrypt share; checksums are CRC-32C. */
interface OnDataKey extends Named {
  readonly additionalAuthenticatedData: Bytes
  readonly additionalAuthenticatedDataCrc32c: number
}

/** The methods of Cloud KMS that are used, each with its request: fields as Google names them. */
export interface GcpKmsMethods {
  readonly Encrypt: OnDataKey & { readonly plaintext: Bytes; readonly plaintextCrc32c: number }
  readonly Decrypt: OnDataKey & { readonly ciphertext: Bytes; readonly ciphertextCrc32c: number }
  readonly GetCryptoKey: Named
  readonly GetCryptoKeyVersion: Named
  readonly CreateCryptoKeyVersion: { readonly parent: string }
  readonly UpdateCryptoKeyPrimaryVersion: Named & { readonly cryptoKeyVersionId: string }
  readonly GenerateRandomBytes: {
    readonly location: string
    readonly lengthBytes: number
    readonly protectionLevel: 'HSM'
  }
}

/**
 * An answer, not yet checked: fields as Google names them, bytes as `Uint8Array`, checksums and other
 * 64-bit numbers in decimal, members of enumerations by name.
 */
export type GcpKmsAnswer = Readonly<Record<string, unknown>>

/** Carries calls to Cloud KMS: REST by `fetch`, or Google's own client. */
export interface GcpKmsTransport {
  /**
   * Makes one call. It must time out by itself, and reject with the signal's reason as soon as the signal aborts. The
   * caller checks the answer.
   *
   * @throws KmsError of `gcpKmsError` if Cloud KMS refuses; `ERR_KMS_UNAVAILABLE` or `ERR_KMS_TIMEOUT` if it does not
   * answer
   */
  call<M extends keyof GcpKmsMethods>(
    method: M,
    request: GcpKmsMethods[M],
    options: KmsSignalOptions,
  ): Promise<GcpKmsAnswer>
}
