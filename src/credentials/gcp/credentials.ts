import type { FlightOptions } from '../../runtime/index.ts'

/** A bearer that Google accepts: an access token, or a JWT that a service account signed for itself. */
export interface GcpAccessToken {
  readonly token: string
  /** When it stops working, milliseconds since the epoch. Absent: nobody knows. */
  readonly expiresAtMs?: number
}

/** A source of access tokens. */
export interface GcpCredentialSource {
  /** A token that is valid now; refreshed before it expires. */
  get(options: FlightOptions): Promise<GcpAccessToken>
  /**
   * Google refused this one: the next `get` must not give it again, if there is another to be had.
   *
   * @param serverTimeMs - Google's clock, milliseconds since the epoch; not a number where it is not known
   */
  refused(token: GcpAccessToken, serverTimeMs: number): void
}

/** A token as it is, a function that gives one, or a source of this package. */
export type GcpCredentialsOption =
  GcpAccessToken | GcpCredentialSource | ((options: FlightOptions) => Promise<GcpAccessToken>)

/** Everything that an identity may do in Google Cloud, as far as IAM lets it. */
export const CLOUD_PLATFORM_SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
