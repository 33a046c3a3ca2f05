import type { EnvelopeCipher } from 'edge-kms'
import { kmsErrorHandler } from 'edge-kms/gateway'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import type { Pool } from 'pg'
import { type AppEnv, authenticate } from './authenticate.ts'
import { type Customer, Customers } from './customers.ts'

const PAGE_ROWS = 100
const MAX_BODY_BYTES = 65_536
const ID = /^[\w-]{1,100}$/

/** The tools of the routes. */
export interface AppParts {
  readonly pool: Pool
  readonly cipher: EnvelopeCipher
  /** JSON: a token of at least 32 characters for each tenant. */
  readonly tokens: string
}

/** Returns the routes. `fetch` of the app is all that a server needs, on Node, Bun and elsewhere. */
export function createApp({ pool, cipher, tokens }: AppParts): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  // An error of edge-kms becomes a problem document with its code. Everything else is for the log alone.
  app.onError(kmsErrorHandler({ onError: (error) => console.error(error) }))
  app.use(authenticate(tokens))
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES }))

  app.get('/customers', async (c) => {
    const customers = new Customers(pool, cipher, c.get('tenant'), c.req.raw.signal)
    c.header('cache-control', 'no-store')
    return c.json(await customers.page(c.req.query('after') ?? '', PAGE_ROWS))
  })

  app.get('/customers/:id', async (c) => {
    const customers = new Customers(pool, cipher, c.get('tenant'), c.req.raw.signal)
    const customer = await customers.get(c.req.param('id'))
    if (customer === undefined) throw new HTTPException(404, { message: 'unknown customer' })
    c.header('cache-control', 'no-store')
    return c.json(customer)
  })

  app.put('/customers/:id', async (c) => {
    const body: unknown = await c.req.json().catch(() => undefined)
    const customer = customerOf(c.req.param('id'), body)
    await new Customers(pool, cipher, c.get('tenant'), c.req.raw.signal).put(customer)
    return c.body(null, 204)
  })
  return app
}

function customerOf(id: string, body: unknown): Customer {
  const { name, email, iban } = Object(body) as Partial<Record<string, unknown>>
  const isWhole = typeof name === 'string' && typeof email === 'string' && typeof iban === 'string'
  if (isWhole && ID.test(id)) return { id, name, email, iban }
  throw new HTTPException(400, { message: 'name, email and iban?' })
}
