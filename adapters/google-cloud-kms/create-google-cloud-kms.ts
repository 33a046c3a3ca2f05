import {
  type BrowserRule,
  integer,
  plainOptions,
  refuseBrowser,
  wrongOption,
} from '../../src/checks/index.ts'
import type { KeyManagementService } from '../../src/index.ts'
import { createGcpKmsOver, type GcpKmsKeyOptions } from '../../src/providers/gcp-kms/index.ts'
import { ClientTransport } from './client-transport.ts'
import type { CloudKmsClient } from './cloud-kms-client.ts'

/** Options of {@link createGoogleCloudKms}. */
export interface GoogleCloudKmsOptions extends GcpKmsKeyOptions, BrowserRule {
  /** A `KeyManagementServiceClient` of `@google-cloud/kms`, with its own credentials and endpoint. */
  readonly client: CloudKmsClient
  /**
   * Timeout of one call with its answer, in milliseconds, 1 to 900,000: by default 2,000, or the stack's attempt
   * timeout.
   */
  readonly timeoutMs?: number
}

const METHODS = [
  'encrypt',
  'decrypt',
  'getCryptoKey',
  'getCryptoKeyVersion',
  'createCryptoKeyVersion',
  'updateCryptoKeyPrimaryVersion',
  'generateRandomBytes',
] as const satisfies readonly (keyof CloudKmsClient)[]

/**
 * Returns a KMS for one key of GCP Cloud KMS through Google's own client for Node, `@google-cloud/kms`: gRPC, and
 * Google's sources of credentials. Keys, wraps, checks and errors are those of `createGcpKms`. Prefer `createGcpKms`,
 * unless you already use that client.
 *
 * @remarks Security: if `GOOGLE_SDK_NODE_LOGGING` is in the environment, the client logs its requests and answers,
 * and with them data keys in clear. Never set it in a process that uses data keys.
 * @throws KmsError `ERR_KMS_CONFIG`
 * @see https://cloud.google.com/nodejs/docs/reference/kms/latest
 *
 * @example
 * ```ts
 * import { KeyManagementServiceClient } from '@google-cloud/kms'
 * import { EnvelopeCipher } from 'edge-kms'
 * import { createGoogleCloudKms } from 'edge-kms/google-cloud-kms'
 *
 * const kms = createGoogleCloudKms({
 *   client: new KeyManagementServiceClient(),
 *   keyName: 'projects/acme-prod/locations/europe-west3/keyRings/app/cryptoKeys/data',
 * })
 * export const cipher = new EnvelopeCipher({ kms })
 * ```
 */
export function createGoogleCloudKms(options: GoogleCloudKmsOptions): KeyManagementService {
  const { client, timeoutMs, dangerouslyAllowBrowser, ...rest } = plainOptions(options)
  refuseBrowser(dangerouslyAllowBrowser)
  const given = Object(client) as Partial<CloudKmsClient>
  const missing = METHODS.find((name) => typeof given[name] !== 'function')
  if (missing !== undefined)
    throw wrongOption('client', `a KeyManagementServiceClient with ${missing}()`, client)
  if (timeoutMs !== undefined) integer('timeoutMs', timeoutMs, 1, 900_000)
  return createGcpKmsOver(new ClientTransport(client, timeoutMs, rest.network), rest)
}
