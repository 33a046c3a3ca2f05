/** The digest of a token for each tenant. */
export type Tokens = readonly (readonly [tenant: string, digest: Uint8Array])[]

const BEARER = /^Bearer ([\w-]{32,})$/

/** @param json - a token of at least 32 characters for each tenant: `{ "acme": "…" }` */
export function tokensOf(json: string | undefined): Promise<Tokens> {
  const entries = Object.entries(parsed(json))
  return Promise.all(
    entries.map(async ([tenant, token]) => [tenant, await digestOf(token)] as const),
  )
}

/**
 * Returns the tenant whose token the request carries, `undefined` if there is none. The context of each envelope comes
 * from here, and never from the request: otherwise every caller could decrypt for every tenant.
 */
export async function tenantOf(request: Request, tokens: Tokens): Promise<string | undefined> {
  const [, token] = BEARER.exec(request.headers.get('authorization') ?? '') ?? []
  if (token === undefined) return undefined
  const given = await digestOf(token)
  return tokens.find(([, known]) => isEqual(given, known))?.[0]
}

/** A SyntaxError would show a part of the tokens in the log. */
function parsed(json: string | undefined): Record<string, string> {
  try {
    return JSON.parse(json ?? '') as Record<string, string>
  } catch {
    throw new Error('the variable TOKENS must be JSON: { "tenant": "token" }')
  }
}

async function digestOf(token: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)))
}

/** Digests have one length. All bytes are compared, so that the time says nothing of a token. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.reduce((difference, byte, i) => difference | (byte ^ (b[i] ?? 0)), 0) === 0
}
