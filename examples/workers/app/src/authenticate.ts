const BEARER = /^Bearer ([\w-]{32,})$/

/**
 * Returns the tenant whose token the request carries, `undefined` if there is none. The context of each envelope comes
 * from here, and never from the request: otherwise every caller could decrypt for every tenant.
 *
 * @param tokens - JSON: a token of at least 32 characters for each tenant
 */
export async function authenticate(request: Request, tokens: string): Promise<string | undefined> {
  const [, token] = BEARER.exec(request.headers.get('authorization') ?? '') ?? []
  if (token === undefined) return undefined
  const given = await digestOf(token)
  let found: string | undefined
  // Digests have one length. All are compared, in constant time, so that the time says nothing of a token.
  for (const [tenant, known] of Object.entries(parsed(tokens))) {
    if (crypto.subtle.timingSafeEqual(given, await digestOf(known))) found = tenant
  }
  return found
}

/** A SyntaxError would show a part of the tokens in the log. */
function parsed(tokens: string): Record<string, string> {
  try {
    return JSON.parse(tokens) as Record<string, string>
  } catch {
    throw new Error('the secret TOKENS must be JSON: { "tenant": "token" }')
  }
}

function digestOf(token: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
}
