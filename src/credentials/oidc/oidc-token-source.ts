import type { FlightOptions } from '../../runtime/index.ts'

/**
 * Gives an OIDC token that is valid now. Any function will do: what exchanges tokens calls it before
 * each exchange and keeps none.
 */
export type OidcTokenSource = (options?: FlightOptions) => Promise<string>
