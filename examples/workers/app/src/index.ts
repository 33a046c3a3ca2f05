import { isKmsError, type KmsError } from 'edge-kms'
import { createCipherClient } from 'edge-kms/workers'
import { authenticate } from './authenticate.ts'
import { type Customer, Customers } from './customers.ts'
import { getFile, putFile } from './files.ts'

const PAGE_ROWS = 100
/** Letters, digits, `-`, `_` and single dots: no part of a path. */
const NAME = /^(?!\.)(?!.*\.\.)[\w.-]{1,100}$/

export default {
  async fetch(request, env): Promise<Response> {
    const tenant = await authenticate(request, env.TOKENS)
    if (tenant === undefined) {
      return new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer' } })
    }
    try {
      return await answer(request, env, tenant)
    } catch (error) {
      if (isKmsError(error)) return problem(error)
      throw error
    }
  },
} satisfies ExportedHandler<Env>

async function answer(request: Request, env: Env, tenant: string): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url)
  const [, place, name = '', ...rest] = pathname.split('/')
  const isNamed = rest.length === 0 && NAME.test(name)
  const customers = new Customers(env.DB, createCipherClient(env.KMS), tenant)
  switch (`${request.method} ${place ?? ''}`) {
    case 'GET customers':
      return Response.json(await customers.page(searchParams.get('after') ?? '', PAGE_ROWS))
    case 'PUT customers': {
      const customer = isNamed
        ? customerOf(name, await request.json().catch(() => undefined))
        : undefined
      if (customer === undefined) return new Response('name, email and iban?', { status: 400 })
      await customers.put(customer)
      return new Response(null, { status: 204 })
    }
    case 'GET files':
      if (isNamed) return getFile(env.FILES, `${tenant}/${name}`, request)
      break
    case 'PUT files':
      if (isNamed) return putFile(env.FILES, `${tenant}/${name}`, request)
  }
  return new Response('not found', { status: 404 })
}

function customerOf(id: string, body: unknown): Customer | undefined {
  const { name, email, iban } = Object(body) as Partial<Record<string, unknown>>
  const isWhole = typeof name === 'string' && typeof email === 'string' && typeof iban === 'string'
  return isWhole ? { id, name, email, iban } : undefined
}

/** The code of an error is for your log and for the caller; neither holds a secret. */
function problem(error: KmsError): Response {
  console.error(error.code, error.message)
  const status = error.code === 'ERR_KMS_ACCESS_DENIED' ? 403 : error.retryable ? 503 : 500
  return Response.json({ code: error.code }, { status })
}
