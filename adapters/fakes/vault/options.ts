/**
 * Defects that you can give the fake, as of a wrong implementation of Vault. They exist only to prove test suites: a
 * suite that verifies a server must detect each of them. `accepts-expired-tokens`, `accepts-any-secret-id`,
 * `accepts-any-jwt`, `ignores-policies` and `renews-past-max-ttl` accept requests that Vault must refuse.
 */
export type FakeVaultDefect =
  | 'accepts-any-jwt'
  | 'accepts-any-secret-id'
  | 'accepts-expired-tokens'
  | 'drops-old-versions'
  | 'encrypts-under-first-version'
  | 'ignores-associated-data'
  | 'ignores-derivation'
  | 'ignores-min-decryption-version'
  | 'ignores-policies'
  | 'renews-past-max-ttl'
  | 'reverses-batches'
  | 'rewrap-keeps-version'

/** Every {@link FakeVaultDefect}, to loop over. */
export const FAKE_VAULT_DEFECTS: readonly FakeVaultDefect[] = Object.freeze([
  'accepts-any-jwt',
  'accepts-any-secret-id',
  'accepts-expired-tokens',
  'drops-old-versions',
  'encrypts-under-first-version',
  'ignores-associated-data',
  'ignores-derivation',
  'ignores-min-decryption-version',
  'ignores-policies',
  'renews-past-max-ttl',
  'reverses-batches',
  'rewrap-keeps-version',
] satisfies FakeVaultDefect[])

/** Capabilities on a path: `create`, `read`, `update`, `delete`, `list`. */
export type FakeVaultCapability = 'create' | 'read' | 'update' | 'delete' | 'list'

/**
 * A policy: paths below `/v1/`, of a namespace with its name before them, each with its capabilities.
 * A `*` at the end stands for any text. As in Vault, what is not allowed is denied, and of several
 * paths that match the longest counts.
 */
export type FakeVaultPolicy = Readonly<Record<string, readonly FakeVaultCapability[]>>

/** Life and power of tokens. */
export interface FakeVaultTokenOptions {
  /** Everything is allowed by default. */
  readonly policy?: FakeVaultPolicy
  /** 0, for ever, for static tokens by default; 3,600 for logins. */
  readonly ttlSeconds?: number
  /** No renewal beyond it; 0, none, for static tokens by default; four times the TTL for logins. */
  readonly maxTtlSeconds?: number
  readonly renewable?: boolean
}

/** A token that exists from the start. */
export interface FakeVaultToken extends FakeVaultTokenOptions {
  readonly token: string
}

/** A role of AppRole. */
export interface FakeVaultAppRole extends FakeVaultTokenOptions {
  readonly roleId: string
  /** Those that are valid; absent for a role with `bind_secret_id` = `false`. */
  readonly secretIds?: readonly string[]
}

/** An issuer of JSON Web Tokens, whose keys Vault knows. */
export interface FakeVaultIssuer {
  /** The `iss` of its tokens. */
  readonly issuer: string
  /** Its public keys, RSA or P-256; `kid` is compared if the token has one. */
  readonly keys: readonly JsonWebKey[]
}

/** A role of the JWT method. */
export interface FakeVaultJwtRole extends FakeVaultTokenOptions {
  readonly name: string
  /** `bound_audiences` */
  readonly audience: string
  /** `bound_subject` */
  readonly subject?: string
}

/** A role of the Kubernetes method. */
export interface FakeVaultKubernetesRole extends FakeVaultTokenOptions {
  readonly name: string
  /** `namespace:name`, as in the token's subject `system:serviceaccount:namespace:name`. */
  readonly serviceAccount: string
}

/** A role of the AWS method. */
export interface FakeVaultAwsRole extends FakeVaultTokenOptions {
  readonly name: string
  /** The ARN that STS answers for a principal that may log in. */
  readonly principalArn: string
}

/** A transit key to make. */
export interface FakeVaultKeyOptions {
  readonly name: string
  /** `transit` by default. */
  readonly mount?: string
  readonly namespace?: string
  /** `aes256-gcm96` (the default) or `aes128-gcm96`; keys of other types exist, but cannot be used. */
  readonly type?: string
  readonly derived?: boolean
  readonly convergent?: boolean
}

/** Options of {@link createFakeVault}. */
export interface FakeVaultOptions {
  /** The mounts of transit, in the root and in each namespace; `['transit']` by default. */
  readonly mounts?: readonly string[]
  /** Namespaces that exist. Without this option there are none, and their header is ignored: as in Vault's community edition. */
  readonly namespaces?: readonly string[]
  readonly keys?: readonly FakeVaultKeyOptions[]
  /** By default one, `root`, that may do everything. */
  readonly tokens?: readonly FakeVaultToken[]
  /** At `auth/approle`. */
  readonly appRoles?: readonly FakeVaultAppRole[]
  /** At `auth/jwt`. */
  readonly jwt?: { readonly issuer: FakeVaultIssuer; readonly roles: readonly FakeVaultJwtRole[] }
  /** At `auth/kubernetes`; the cluster is the issuer. */
  readonly kubernetes?: {
    readonly issuer: FakeVaultIssuer
    readonly roles: readonly FakeVaultKubernetesRole[]
  }
  /** At `auth/aws`; `sts` answers what Vault would ask of STS, e.g. the `fetch` of a fake AWS. */
  readonly aws?: {
    readonly sts: (request: Request) => Promise<Response>
    readonly roles: readonly FakeVaultAwsRole[]
    /** `iam_server_id_header_value` */
    readonly serverId?: string
  }
  /** `disable_upsert` of transit: encrypting under a key that does not exist makes none. */
  readonly disableUpsert?: boolean
  /** The server's clock, milliseconds since the epoch; the real one by default. */
  readonly now?: () => number
  /** For proving test suites only: see {@link FakeVaultDefect}. */
  readonly defects?: readonly FakeVaultDefect[]
}
