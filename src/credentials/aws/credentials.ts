import type { AwsCredentials } from '../../ports/index.ts'

export type { AwsCredentials } from '../../ports/index.ts'

/** Options of a look-up. */
export interface CredentialOptions {
  readonly signal?: AbortSignal | undefined
  readonly defer?: ((work: Promise<unknown>) => void) | undefined
}

/** A source of credentials. */
export interface AwsCredentialSource {
  /** Credentials that are valid now; refreshed before they expire. */
  get(options: CredentialOptions): Promise<AwsCredentials>
  /** The vendor refused these: the next `get` must not give them again, if there are others to be had. */
  refused(credentials: AwsCredentials): void
}

/** Credentials as they are, a function that gives them, or a source of this package. */
export type AwsCredentialsOption =
  AwsCredentials | AwsCredentialSource | ((options: CredentialOptions) => Promise<AwsCredentials>)
