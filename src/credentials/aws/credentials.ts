import type { AwsCredentials } from '../../ports/index.ts'

export type { AwsCredentials } from '../../ports/index.ts'

/** Options of a look-up. */
export interface CredentialOptions {
  readonly signal?: AbortSignal | undefined
  readonly defer?: ((work: Promise<unknown>) => void) | undefined
}

/** A source of credentials. */
export interface AwsCredentialSource {
  /** Returns credentials that are valid now. They are refreshed before they expire. */
  get(options: CredentialOptions): Promise<AwsCredentials>
  /** Reports that the vendor refused these credentials: the next `get` must return others, if it can get any. */
  refused(credentials: AwsCredentials): void
}

/** Fixed credentials, a function that returns credentials, or a source of this package. */
export type AwsCredentialsOption =
  AwsCredentials | AwsCredentialSource | ((options: CredentialOptions) => Promise<AwsCredentials>)
