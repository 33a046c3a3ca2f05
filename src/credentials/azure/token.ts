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
  /** A token that is valid now; renewed before it expires. */
  get(options: AzureTokenOptions): Promise<AzureToken>
  /** The vendor refused this one: the next `get` must not give it again, if there is another to be had. */
  refused(token: AzureToken): void
}

/** A source of this package, or a function that gives a token. */
export type AzureCredentialsOption =
  AzureCredentialSource | ((options: AzureTokenOptions) => Promise<AzureToken>)
