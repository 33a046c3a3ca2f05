import type { FakeAwsPolicy } from '../aws/options.ts'

/**
 * Defects that you can give the fake. They exist only to prove test suites: a suite that verifies a server must
 * detect each of them.
 *
 * - `ignores-aad`: a ciphertext opens under any additional authenticated data
 * - `ignores-checksums`: checksums that were sent are not compared
 * - `always-verified`: says that it verified a checksum that was not sent
 * - `answers-other-checksum`: the checksum of an answer is another one's
 * - `ignores-version-state`: versions that are disabled or destroyed work
 * - `ignores-key`: Decrypt opens the ciphertext of another key
 * - `keeps-primary`: a new primary version is answered, and the old one goes on
 * - `names-no-version`: Encrypt names the key where it should name the version
 * - `ignores-size-limits`: plaintexts and additional data may have any length
 * - `accepts-any-token`: the bearer token is not looked at
 */
export type FakeGcpDefect =
  | 'ignores-aad'
  | 'ignores-checksums'
  | 'always-verified'
  | 'answers-other-checksum'
  | 'ignores-version-state'
  | 'ignores-key'
  | 'keeps-primary'
  | 'names-no-version'
  | 'ignores-size-limits'
  | 'accepts-any-token'

/** Every {@link FakeGcpDefect}, to loop over. */
export const FAKE_GCP_DEFECTS: readonly FakeGcpDefect[] = Object.freeze([
  'ignores-aad',
  'ignores-checksums',
  'always-verified',
  'answers-other-checksum',
  'ignores-version-state',
  'ignores-key',
  'keeps-primary',
  'names-no-version',
  'ignores-size-limits',
  'accepts-any-token',
] satisfies FakeGcpDefect[])

/** Permissions such as `cloudkms.cryptoKeyVersions.useToEncrypt`, `cloudkms.*` or `*`; `deny` wins. */
export type FakeGcpPolicy = FakeAwsPolicy

/** A service account. */
export interface FakeGcpServiceAccount {
  readonly email: string
  /** Everything by default. */
  readonly policy?: FakeGcpPolicy
  /** Principals that may impersonate it: e-mail addresses or `principal://…`; nobody by default. */
  readonly tokenCreators?: readonly string[]
}

/** A provider of a workload identity pool: OIDC if it has an issuer, otherwise AWS. */
export interface FakeGcpPoolProvider {
  /** `//iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/NAME` */
  readonly audience: string
  /** The `iss` of its tokens. */
  readonly issuer?: string
  /** Public keys of the issuer, RSA or P-256. */
  readonly keys?: readonly JsonWebKey[]
  /** Accepted values of `aud`; by default `https:` and the audience. */
  readonly allowedAudiences?: readonly string[]
  /** Answers the signed GetCallerIdentity, e.g. `fetch` of a fake of AWS. */
  readonly awsSts?: (request: Request) => Promise<Response>
  /** The AWS account that is let in. */
  readonly awsAccount?: string
  /** Permissions of its principals; all by default. */
  readonly policy?: FakeGcpPolicy
}

/** A key to make. */
export interface FakeGcpKeyOptions {
  /** The key's own id; by default `data-1`, `data-2` and so on. */
  readonly id?: string
  readonly keyRing?: string
  readonly location?: string
  /** `ENCRYPT_DECRYPT` by default; keys of another purpose exist to be refused. */
  readonly purpose?: string
  readonly protectionLevel?: 'SOFTWARE' | 'HSM'
  /** How long its versions stay PENDING_GENERATION, in milliseconds; 0 by default. */
  readonly generationMs?: number
}

/** Options of {@link createFakeGcp}. */
export interface FakeGcpOptions {
  /** `acme-prod` by default. */
  readonly projectId?: string
  /** `europe-west3` by default: where keys are made that name no other. */
  readonly location?: string
  /** By default one, `app@<project>.iam.gserviceaccount.com`, that may do everything. The first is the machine's. */
  readonly serviceAccounts?: readonly FakeGcpServiceAccount[]
  readonly poolProviders?: readonly FakeGcpPoolProvider[]
  /** Keys that exist from the start. */
  readonly keys?: readonly FakeGcpKeyOptions[]
  /** The server's clock, milliseconds since the epoch; the real one by default. */
  readonly now?: () => number
  /** For proving test suites only: see {@link FakeGcpDefect}. */
  readonly defects?: readonly FakeGcpDefect[]
}
