import type { FlightOptions } from '../../runtime/index.ts'

/**
 * Returns an OIDC token that is valid now. You may write your own: credentials call it before each exchange and do
 * not keep the token.
 */
export type OidcTokenSource = (options?: FlightOptions) => Promise<string>
