import { createHash, timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'

/** The tenant of the token: the context of every envelope that the request reads or writes. */
export interface AppEnv {
  Variables: { tenant: string }
}

const BEARER = /^Bearer ([\w-]{32,})$/

/**
 * Returns a middleware that finds the tenant whose token the request carries. The context of each envelope comes from
 * here, and never from the request: otherwise every caller could decrypt for every tenant.
 *
 * @param tokens - JSON: a token of at least 32 characters for each tenant
 */
export function authenticate(tokens: string): MiddlewareHandler<AppEnv> {
  const known = Object.entries(parsed(tokens)).map(([tenant, token]) => ({
    tenant,
    digest: digestOf(token),
  }))
  return async (c, next) => {
    const [, token] = BEARER.exec(c.req.header('authorization') ?? '') ?? []
    const given = digestOf(token ?? '')
    // Digests have one length. All are compared, in constant time, so that the time says nothing of a token.
    const [found] = known.filter(({ digest }) => timingSafeEqual(digest, given))
    if (token === undefined || found === undefined) {
      const headers = { 'www-authenticate': 'Bearer' }
      throw new HTTPException(401, { res: new Response(null, { status: 401, headers }) })
    }
    c.set('tenant', found.tenant)
    await next()
  }
}

/** A SyntaxError would show a part of the tokens in the log. */
function parsed(tokens: string): Record<string, string> {
  try {
    return JSON.parse(tokens) as Record<string, string>
  } catch {
    throw new Error('TOKENS must be JSON: { "tenant": "token" }')
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
