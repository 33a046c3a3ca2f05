import type { BrowserRule } from '../../checks/index.ts'
import type {
  AwsCredentialsOption,
  AwsSigner,
  EndpointOptions,
} from '../../credentials/aws/index.ts'
import type { KmsCapabilities } from '../../kms/index.ts'
import type { Network, Runtime } from '../../ports/index.ts'

/** Options of `createAwsKms`. */
export interface AwsKmsOptions extends EndpointOptions, BrowserRule {
  /**
   * A key ARN (best: it is compared byte for byte and nothing has to be resolved), a key id, an
   * alias name or an alias ARN. An alias is resolved once, at first use, and pinned.
   */
  readonly keyId: string
  /** The key's Region, e.g. `eu-central-1`. Required if `keyId` does not name it. */
  readonly region?: string
  readonly credentials: AwsCredentialsOption
  /**
   * Other Regions with related multi-Region keys (`mrk-`, same account and partition): this key may also open wraps
   * that those keys made. They are tried in this order. None by default: a wrap from another Region is refused
   * without a call.
   */
  readonly replicaRegions?: readonly string[]
  readonly grantTokens?: readonly string[]
  /**
   * Whether this instance may make and wrap data keys (`encrypt`), unwrap them (`decrypt`), or both; `both` by
   * default. A rewrap needs `both`.
   */
  readonly usage?: KmsCapabilities['usage']
  /**
   * Entries to add to the encryption context of health checks, beside `edge-kms:dk` = `health`, if your policies have
   * conditions on the context. Empty by default.
   */
  readonly healthContext?: Readonly<Record<string, string>>
  /** Timeout of one request with its answer, in milliseconds: by default 2,000, or the stack's attempt timeout. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
  /** Signs the requests; by default the network's `awsSigner`, else aws4fetch. */
  readonly signer?: AwsSigner
}
