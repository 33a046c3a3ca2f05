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
  /** Needed where `keyId` does not name it, e.g. `eu-central-1`. */
  readonly region?: string
  readonly credentials: AwsCredentialsOption
  /**
   * Regions whose related multi-Region keys (`mrk-`, same account and partition) made wraps that the key
   * configured here may open, in the order in which they are tried. None by default: a wrap of another
   * Region costs no call.
   */
  readonly replicaRegions?: readonly string[]
  readonly grantTokens?: readonly string[]
  /** Which half of the contract this instance may use; `both` by default. */
  readonly usage?: KmsCapabilities['usage']
  /**
   * Entries of a health check's encryption context beside `edge-kms:dk` = `health`, where
   * policies have conditions on it. Empty by default.
   */
  readonly healthContext?: Readonly<Record<string, string>>
  /** Of one request with its answer, in milliseconds. By default 2,000, or the stack's attempt timeout. */
  readonly timeoutMs?: number
  readonly runtime?: Runtime
  readonly network?: Network
  /** Signs the requests; by default the network's `awsSigner`, else aws4fetch. */
  readonly signer?: AwsSigner
}
