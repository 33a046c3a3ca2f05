import { plainOptions } from '../../src/checks/index.ts'
import { AwsClient, type AwsCredentialsOption } from '../../src/credentials/aws/index.ts'
import { type AwsSigner, signerOf, toCredentialSource } from '../../src/credentials/aws/index.ts'
import type { Bytes } from '../../src/bytes/index.ts'
import { type HttpResponse, Transport } from '../../src/http/index.ts'
import type { Runtime } from '../../src/index.ts'
import { webNetwork, webRuntime } from '../../src/runtime/index.ts'
import { BoundedCalls, type ObjectCallOptions } from './bounded-calls.ts'
import { S3_ERRORS } from './s3-errors.ts'
import { type S3Address, s3Address, type S3Place } from './s3-place.ts'

/** Options of `s3Bucket`. */
export interface S3BucketOptions extends S3Place, ObjectCallOptions {
  /** As those of `createAwsKms`, e.g. `awsCredentialsFromEnv(env)` of `edge-kms/aws-kms`. */
  readonly credentials: AwsCredentialsOption
  /** Signs the requests; by default the network's `awsSigner`, else aws4fetch. */
  readonly signer?: AwsSigner
  readonly runtime?: Runtime
}

/** One request for an object. */
export interface S3Request {
  readonly operation: string
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly key: string
  readonly query?: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** In memory, so that the request has a Content-Length and can be sent again. */
  readonly body?: Bytes | string
  readonly answers?: readonly number[]
  readonly hopesFor?: string
  readonly signal?: AbortSignal | undefined
}

/** Bytes of one read: an object is read in spans of this length. */
export const S3_READ_BYTES = 8_388_608
/** Above it, an answer is refused. */
const MAX_ANSWER_BYTES = S3_READ_BYTES + 65_536
/** Longer than any call may take: the deadline of the call comes first. */
const TIMEOUT_MS = 60_000

/** Signed requests to one bucket, each bounded and typed. */
export class S3Client {
  readonly calls: BoundedCalls
  readonly #client: AwsClient
  readonly #address: S3Address

  /** @throws KmsError `ERR_KMS_CONFIG` */
  constructor(options: S3BucketOptions) {
    const { bucket, region, endpoint, allowHttpLoopback, dualStack, fips, ...more } =
      plainOptions(options)
    const { credentials, signer, runtime = webRuntime, network = webNetwork, ...common } = more
    this.calls = new BoundedCalls('s3', { ...common, network })
    const place = { bucket, region, endpoint, allowHttpLoopback, dualStack, fips }
    this.#address = s3Address(place)
    this.#client = new AwsClient({
      provider: 's3',
      service: 's3',
      region: this.#address.region,
      endpoint: this.#address.origin,
      credentials: toCredentialSource(credentials, { runtime, network }),
      transport: new Transport({ network, timeoutMs: TIMEOUT_MS, maxBodyBytes: MAX_ANSWER_BYTES }),
      runtime,
      signer: signerOf(signer, network),
      errors: S3_ERRORS,
    })
  }

  /** Sends a request, at most four times. */
  send(request: S3Request): Promise<HttpResponse> {
    return this.calls.repeated(request.operation, request.signal, (signal) =>
      this.#send(request, signal),
    )
  }

  /** Sends a request once: for one whose second answer would be another. */
  sendOnce(request: S3Request): Promise<HttpResponse> {
    return this.calls.once(request.operation, request.signal, (signal) =>
      this.#send(request, signal),
    )
  }

  #send(request: S3Request, signal: AbortSignal): Promise<HttpResponse> {
    const { operation, method, key, query, body, answers, hopesFor } = request
    return this.#client.call({
      ...{ operation, method, body, answers, hopesFor, signal },
      path: this.#address.path(key, query),
      // TLS protects the bytes on their way, and the envelope's own tags after it.
      headers: { ...request.headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    })
  }
}
