import { AwsV4Signer } from 'aws4fetch'
import type { Bytes } from '../../bytes/index.ts'
import type { AwsCredentials } from './credentials.ts'
import { SigningKeys } from './signing-keys.ts'

/** One request to sign. */
export interface AwsSigningRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  /**
   * Names in lower case. All are signed. With `x-amz-content-sha256` its value stands for the digest of the body:
   * that is how S3 takes `UNSIGNED-PAYLOAD`.
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

/**
 * Returns a signer on aws4fetch. A key is derived once a day for each credentials object.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function createAwsSigner(): AwsSigner {
  const keys = new SigningKeys<ArrayBuffer>()
  return {
    async sign({ nowMs, ...request }, credentials) {
      const datetime = awsTime(nowMs)
      const scope = `${datetime.slice(0, 8)}/${request.region}/${request.service}`
      // aws4fetch names its keys by the secret: the name is dropped here.
      const cache = {
        get: () => keys.get(credentials, scope),
        set: (_name: string, key: ArrayBuffer) => {
          keys.set(credentials, scope, key)
        },
      } as unknown as Map<string, ArrayBuffer>
      const options = { ...request, ...credentials, datetime, cache, allHeaders: true }
      return Object.fromEntries((await new AwsV4Signer(options).sign()).headers)
    },
  }
}

/** Returns a time as AWS writes it, e.g. `20260101T000000Z`. */
function awsTime(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, '')
}
