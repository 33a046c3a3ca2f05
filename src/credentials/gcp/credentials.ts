import type { FlightOptions } from '../../runtime/index.ts'

/** A bearer that Google accepts: an access token, or a JWT that a service account signed for itself. */
export interface GcpAccessToken {
  readonly token: string
  /** When it stops working, in milliseconds since the epoch. Absent: unknown. */
  readonly expiresAtMs?: number
}

/** A source of access tokens. */
export interface GcpCredentialSource {
  /** Returns a token that is valid now. It is refreshed before it expires. */
  get(options: FlightOptions): Promise<GcpAccessToken>
  /**
   * Reports that Google refused this token: the next `get` must return another one, if it can get any.
   *
   * @param serverTimeMs - Google's clock, milliseconds since the epoch; `NaN` if it is unknown
   */
  refused(token: GcpAccessToken, serverTimeMs: number): void
}

/** A fixed token, a function that returns a token, or a source of this package. */
export type GcpCredentialsOption =
  GcpAccessToken | GcpCredentialSource | ((options: FlightOptions) => Promise<GcpAccessToken>)

/** Everything that an identity may do in Google Cloud, as far as IAM lets it. */
export const CLOUD_PLATFORM_SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
