/**
 * Defects that you can give the fake. They exist only to prove test suites: a suite that verifies a server must
 * detect each of them.
 *
 * - `accepts-any-token`: the signature of a token is not compared
 * - `accepts-expired-tokens`: tokens work past their end
 * - `ignores-audience`: a token for another resource works
 * - `ignores-permissions`: every application may do everything
 * - `ignores-disabled`: versions that are disabled work
 * - `ignores-expiry`: versions that are expired wrap
 * - `ignores-key-operations`: `key_ops` is not looked at
 * - `ignores-version`: unwrapKey opens what any version of the key wrapped
 * - `answers-without-version`: `kid` in answers of wrapKey and unwrapKey names no version
 * - `rotates-nothing`: rotate answers, and the version stays
 * - `accepts-any-secret`: the client secret is not compared
 * - `accepts-any-assertion`: the signature of a client assertion is not compared
 */
export type FakeAzureDefect =
  | 'accepts-any-token'
  | 'accepts-expired-tokens'
  | 'ignores-audience'
  | 'ignores-permissions'
  | 'ignores-disabled'
  | 'ignores-expiry'
  | 'ignores-key-operations'
  | 'ignores-version'
  | 'answers-without-version'
  | 'rotates-nothing'
  | 'accepts-any-secret'
  | 'accepts-any-assertion'

/** Every {@link FakeAzureDefect}, to loop over. */
export const FAKE_AZURE_DEFECTS: readonly FakeAzureDefect[] = Object.freeze([
  'accepts-any-token',
  'accepts-expired-tokens',
  'ignores-audience',
  'ignores-permissions',
  'ignores-disabled',
  'ignores-expiry',
  'ignores-key-operations',
  'ignores-version',
  'answers-without-version',
  'rotates-nothing',
  'accepts-any-secret',
  'accepts-any-assertion',
] satisfies FakeAzureDefect[])

/** A certificate that is registered for an application. */
export interface FakeAzureCertificate {
  /** SHA-256 of the certificate's DER, base64url: what an assertion names as `x5t#S256`. */
  readonly thumbprint: string
  /** Its public key, RSA. */
  readonly key: JsonWebKey
}

/** An issuer whose tokens an application trusts: a federated identity credential. */
export interface FakeAzureFederation {
  readonly issuer: string
  readonly subject: string
  /** `api://AzureADTokenExchange` by default. */
  readonly audience?: string
  /** The issuer's public keys, RSA or P-256. */
  readonly keys: readonly JsonWebKey[]
}

/** An application, with what it may do on every vault and HSM. */
export interface FakeAzureApplication {
  /** A GUID. */
  readonly clientId: string
  readonly clientSecret?: string
  readonly certificates?: readonly FakeAzureCertificate[]
  readonly federations?: readonly FakeAzureFederation[]
  /** Key permissions as Azure names them, e.g. `wrapKey`; all by default. */
  readonly permissions?: readonly string[]
}

/** A key to make. */
export interface FakeAzureKeyOptions {
  readonly name?: string
  /** `https://acme.vault.azure.net` by default; a host that begins otherwise makes a vault or HSM of its own. */
  readonly vault?: string
  /** `RSA` by default; `oct-HSM`, 256 bits, on Managed HSMs only. */
  readonly kty?: 'RSA' | 'RSA-HSM' | 'oct-HSM'
  /** Operations that the key allows; wrapKey and unwrapKey by default. */
  readonly operations?: readonly string[]
  /** When it expires, milliseconds since the epoch. */
  readonly expiresAtMs?: number
}

/** Options of {@link createFakeAzure}. */
export interface FakeAzureOptions {
  /** The directory; a fixed GUID by default. */
  readonly tenantId?: string
  /** By default one with a client secret, which may do everything. */
  readonly applications?: readonly FakeAzureApplication[]
  /** The application whose tokens the metadata services give: the first by default. */
  readonly managedIdentity?: string
  /** `IDENTITY_HEADER` of App Service. */
  readonly identityHeader?: string
  /** Life of tokens, seconds; 3,599 by default. */
  readonly tokenSeconds?: number
  /** Keys that exist from the start. */
  readonly keys?: readonly FakeAzureKeyOptions[]
  /** The server's clock, milliseconds since the epoch; the real one by default. */
  readonly now?: () => number
  /** For proving test suites only: see {@link FakeAzureDefect}. */
  readonly defects?: readonly FakeAzureDefect[]
}
