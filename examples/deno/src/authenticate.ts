import { createHash, timingSafeEqual } from 'node:crypto'

/** The digest of a token for each tenant. */
export type Tokens = readonly (readonly [tenant: string, digest: Uint8Array])[]

const BEARER = /^Bearer ([\w-]{32,})$/

/** @param json - a token of at least 32 characters for each tenant: `{ "acme": "…" }` */
export function tokensOf(json: string | undefined): Tokens {
  const entries = Object.entries(parsed(json))
  return entries.map(([tenant, token]) => [tenant, digestOf(token)] as const)
}

/**
 * Returns the tenant whose token the request carries, `undefined` if there is none. The context of each envelope comes
 * from here, and never from the request: otherwise every caller could decrypt for every tenant.
 */
export function tenantOf(request: Request, tokens: Tokens): string | undefined {
  const [, token] = BEARER.exec(request.headers.get('authorization') ?? '') ?? []
  if (token === undefined) return undefined
  const given = digestOf(token)
  return tokens.find(([, known]) => timingSafeEqual(given, known))?.[0]
}

/** A SyntaxError would show a part of the tokens in the log. */
function parsed(json: string | undefined): Record<string, string> {
  try {
    return JSON.parse(json ?? '') as Record<string, string>
  } catch {
    throw new Error('the variable TOKENS must be JSON: { "tenant": "token" }')
  }
}

function digestOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}
