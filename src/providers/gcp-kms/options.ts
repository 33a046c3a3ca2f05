import type { BrowserRule } from '../../checks/index.ts'
import type { GcpCredentialsOption } from '../../credentials/gcp/index.ts'
import type { EndpointRules } from '../../http/index.ts'
import type { KmsCapabilities } from '../../kms/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'

/** Options of `createGcpKmsOver`: those that do not depend on the transport. */
export interface GcpKmsKeyOptions {
  /**
   * The key's resource name, without a version:
   * `projects/P/locations/L/keyRings/R/cryptoKeys/K`, with the project as Google's answers name it
   * (its id). It is compared byte for byte.
   */
  readonly keyName: string
  /**
   * The source of a DEK's random bytes: `local`, the runtime's generator (the default), or `hsm`, GenerateRandomBytes
   * of the key's location combined with local ones. `hsm` costs one more call.
   */
  readonly randomBytes?: 'local' | 'hsm'
  /**
   * Whether this instance may make and wrap data keys (`encrypt`), unwrap them (`decrypt`), or both; `both` by
   * default. A rewrap needs `both`.
   */
  readonly usage?: KmsCapabilities['usage']
  readonly runtime?: Runtime
  readonly network?: Network
}

/** Options of `createGcpKms`. */
export interface GcpKmsOptions extends GcpKmsKeyOptions, EndpointRules, BrowserRule {
  readonly credentials: GcpCredentialsOption
  /** Replaces `https://cloudkms.googleapis.com`: a regional endpoint, or a server for tests. https only. */
  readonly endpoint?: string
  /** Timeout of one request with its answer, in milliseconds: by default 2,000, or the stack's attempt timeout. */
  readonly timeoutMs?: number
}
