import type { Expiring, FlightOptions } from '../../runtime/index.ts'

/** An access token of Microsoft Entra ID. */
export interface AzureToken extends Expiring {
  readonly token: string
}

/** Options of a look-up. */
export interface AzureTokenOptions extends FlightOptions {
  /** The resource of the token, e.g. `https://vault.azure.net`: from the configuration, never from a challenge. */
  readonly resource: string
}

/** A source of tokens. */
export interface AzureCredentialSource {
  /** Returns a token that is valid now. It is renewed before it expires. */
  get(options: AzureTokenOptions): Promise<AzureToken>
  /** Reports that the vendor refused this token: the next `get` must return another one, if it can get any. */
  refused(token: AzureToken): void
}

/** A source of this package, or a function that returns a token. */
export type AzureCredentialsOption =
  AzureCredentialSource | ((options: AzureTokenOptions) => Promise<AzureToken>)
