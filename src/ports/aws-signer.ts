import type { Bytes } from '../bytes/index.ts'

/** AWS credentials. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** When they stop working, milliseconds since the epoch. Absent: they do not expire. */
  readonly expiresAtMs?: number
}

/** One request to sign. */
export interface AwsSigningRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  /**
   * Names in lower case. All are signed. The value of `x-amz-content-sha256`, if present, replaces the digest of
   * the body, as S3 requires for `UNSIGNED-PAYLOAD`.
   */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Bytes
  readonly service: string
  readonly region: string
  /** The time of the signature, milliseconds since the epoch: the clock, corrected for skew. */
  readonly nowMs: number
}

/** Signs requests to AWS with Signature Version 4. The default is aws4fetch over WebCrypto. */
export interface AwsSigner {
  /**
   * Returns the request's headers with `authorization`, `x-amz-date` and, for temporary credentials,
   * `x-amz-security-token`. Names are in lower case; `host` is signed and not among them.
   */
  sign(
    request: AwsSigningRequest,
    credentials: AwsCredentials,
  ): Promise<Readonly<Record<string, string>>>
}
