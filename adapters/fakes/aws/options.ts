/**
 * Defects that you can give the fake. They exist only to prove test suites: a suite that verifies a server must
 * detect each of them.
 *
 * - `ignores-context`: a ciphertext opens under any encryption context
 * - `concatenates-context`: keys and values are joined without a separator, so `{a:'bc'}` opens `{ab:'c'}`
 * - `ignores-key-state`: keys that are disabled or pending deletion work
 * - `ignores-decrypt-key-id`: Decrypt opens a ciphertext of another key than KeyId
 * - `ignores-source-key-id`: ReEncrypt opens a ciphertext of another key than SourceKeyId
 * - `answers-alias-for-arn`: answers name the key by the alias that was asked for
 * - `dry-run-performs`: DryRun is ignored and the call is made
 * - `accepts-any-signature`: the signature is not compared
 * - `accepts-expired-credentials`: temporary credentials work past their end
 * - `accepts-any-web-identity`: a web identity token is not looked at
 */
export type FakeAwsDefect =
  | 'ignores-context'
  | 'concatenates-context'
  | 'ignores-key-state'
  | 'ignores-decrypt-key-id'
  | 'ignores-source-key-id'
  | 'answers-alias-for-arn'
  | 'dry-run-performs'
  | 'accepts-any-signature'
  | 'accepts-expired-credentials'
  | 'accepts-any-web-identity'

/** Every {@link FakeAwsDefect}, to loop over. */
export const FAKE_AWS_DEFECTS: readonly FakeAwsDefect[] = Object.freeze([
  'ignores-context',
  'concatenates-context',
  'ignores-key-state',
  'ignores-decrypt-key-id',
  'ignores-source-key-id',
  'answers-alias-for-arn',
  'dry-run-performs',
  'accepts-any-signature',
  'accepts-expired-credentials',
  'accepts-any-web-identity',
] satisfies FakeAwsDefect[])

/**
 * Actions that a principal may do, such as `kms:Decrypt`, `kms:ReEncrypt*`, `sts:*` or `*`. As in
 * IAM, what is not allowed is denied, and `deny` wins.
 */
export interface FakeAwsPolicy {
  /** `['*']` by default. */
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}

/** An access key of a user. */
export interface FakeAwsAccessKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** The user's name, `app` by default. */
  readonly userName?: string
  /** The fake's own account by default. */
  readonly accountId?: string
  readonly policy?: FakeAwsPolicy
}

/** Principals that may assume a role. */
export interface FakeAwsTrust {
  /** Account ids or ARNs of principals; `'*'` is everyone. */
  readonly principals?: readonly string[]
  /** AssumeRole must name it. */
  readonly externalId?: string
  /** Holders of a token of this issuer, with this audience and subject if they are set. */
  readonly webIdentity?: {
    readonly issuer: string
    readonly audience?: string
    readonly subject?: string
  }
}

/** A role. */
export interface FakeAwsRole {
  /** `arn:aws:iam::111122223333:role/name` */
  readonly arn: string
  readonly trust: FakeAwsTrust
  readonly policy?: FakeAwsPolicy
  /** 3,600 by default, at most 43,200. */
  readonly maxSessionSeconds?: number
}

/** An OpenID Connect provider that the account trusts. */
export interface FakeAwsIdentityProvider {
  /** The `iss` of its tokens, an https URL. */
  readonly issuer: string
  /** The client ids that are registered for it. */
  readonly audiences: readonly string[]
  /** Its public keys, RSA or P-256; `kid` is compared if the token has one. */
  readonly keys: readonly JsonWebKey[]
}

/** A KMS key to make. */
export interface FakeAwsKeyOptions {
  readonly region?: string
  readonly accountId?: string
  readonly multiRegion?: boolean
  /** E.g. `RSA_2048`; `SYMMETRIC_DEFAULT` by default. Other keys exist, but cannot be used. */
  readonly keySpec?: string
  readonly keyUsage?: string
  readonly description?: string
  /** `alias/name` */
  readonly alias?: string
  /** Accounts whose principals may use this key by its ARN: what a key policy would say. */
  readonly sharedWith?: readonly string[]
}

/** Options of {@link createFakeAws}. */
export interface FakeAwsOptions {
  /** The home region, `us-east-1` by default: where keys are made that name no other. */
  readonly region?: string
  /** All regions that exist; five by default, the home region included. */
  readonly regions?: readonly string[]
  /** `111122223333` by default. */
  readonly accountId?: string
  /** By default one, AWS's own example, that may do everything. */
  readonly accessKeys?: readonly FakeAwsAccessKey[]
  readonly roles?: readonly FakeAwsRole[]
  readonly identityProviders?: readonly FakeAwsIdentityProvider[]
  /** Keys that exist from the start. */
  readonly keys?: readonly FakeAwsKeyOptions[]
  /**
   * Grant tokens that are valid for every caller and key, each with the actions that it permits, e.g.
   * `['Decrypt', 'ReEncryptFrom']`. For a grant to one principal on one key, call CreateGrant.
   */
  readonly grants?: Readonly<Record<string, readonly string[]>>
  /** The server's clock, milliseconds since the epoch; the real one by default. */
  readonly now?: () => number
  /** For proving test suites only: see {@link FakeAwsDefect}. */
  readonly defects?: readonly FakeAwsDefect[]
}
