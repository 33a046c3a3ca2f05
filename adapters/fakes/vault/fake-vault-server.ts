import { type Bytes, encodeUtf8 } from '../../../src/bytes/index.ts'
import type { PlainAnswer } from '../support/fault-bodies.ts'
import type { FakeClock } from '../support/clock.ts'
import { FrontDoor } from '../support/front-door.ts'
import { loginAt } from './auth-operations.ts'
import type { CallRecord } from './calls.ts'
import { distort, needsSuccess, refusalOf, replaces } from './fault-effects.ts'
import type { FakeVaultFault } from './faults.ts'
import { readInput } from './input.ts'
import type { FakeVaultOptions } from './options.ts'
import { notFound, Refusal } from './refusal.ts'
import type { StoredToken, Tokens } from './tokens.ts'
import type { TransitKeys } from './transit-keys.ts'
import { transit } from './transit-operations.ts'

/** The parts of a server. */
export interface ServerParts {
  readonly options: FakeVaultOptions
  readonly keys: TransitKeys
  readonly tokens: Tokens
  readonly clock: FakeClock
}

/** A request with what routes it. */
interface Received {
  readonly method: string
  readonly headers: Headers
  readonly body: Bytes
  /** Empty for the root; else with a slash at its end. */
  readonly namespace: string
  /** Below the namespace. */
  readonly path: string
  readonly record: CallRecord
}

/** Members of a whole answer that are not what every answer has. */
interface Members {
  readonly data?: unknown
  readonly auth?: unknown
  readonly warnings?: readonly string[]
}

/** Vault behind one door. */
export class FakeVaultServer {
  readonly door: FrontDoor<FakeVaultFault, CallRecord> = new FrontDoor()
  readonly #parts: ServerParts

  constructor(parts: ServerParts) {
    this.#parts = parts
  }

  async fetch(request: Request): Promise<Response> {
    const call = await this.door.receive(request, ({ method, url }): CallRecord => {
      const path = url.pathname.replace(/^\/v1\//, '')
      return { method, path, operation: operationOf(path) }
    })
    const { received, record, fault } = call
    const { url, headers, body } = received
    // As Vault takes a LIST from clients and servers that know no such method.
    const lists = received.method === 'GET' && url.searchParams.get('list') === 'true'
    const method = lists ? 'LIST' : received.method
    const asked = { method, headers, body, path: record.path, record }
    const plain = replaces(fault)
      ? answerOf(200, {})
      : await this.#answer(asked, url, refusalOf(fault))
    return this.door.reply(call, distort(plain, fault, url), needsSuccess)
  }

  async #answer(
    request: Omit<Received, 'namespace'>,
    url: URL,
    refusal: Refusal | undefined,
  ): Promise<PlainAnswer> {
    try {
      if (refusal !== undefined) throw refusal
      // Go's router cleans paths; what is not clean is sent back.
      if (/\/\//.test(url.pathname)) return redirect(url.pathname.replace(/\/+/g, '/'))
      if (!url.pathname.startsWith('/v1/')) throw notFound()
      return await this.#route({ ...request, ...this.#place(request) })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return jsonAnswer(error.status, { errors: error.errors })
    }
  }

  /** Which namespace a request is for: by its header, and by its path. @throws Refusal 404 */
  #place({ headers, path }: Omit<Received, 'namespace'>): Pick<Received, 'namespace' | 'path'> {
    const { namespaces } = this.#parts.options
    if (namespaces === undefined) return { namespace: '', path }
    const header = (headers.get('x-vault-namespace') ?? '').replace(/^\/|\/$/g, '')
    const whole = header === '' ? path : `${header}/${path}`
    const [best = ''] = namespaces
      .filter((name) => whole.startsWith(`${name}/`))
      .sort((a, b) => b.length - a.length)
    if (header !== '' && !`${best}/`.startsWith(`${header}/`)) throw notFound('namespace not found')
    return best === ''
      ? { namespace: '', path: whole }
      : { namespace: `${best}/`, path: whole.slice(best.length + 1) }
  }

  async #route(received: Received): Promise<PlainAnswer> {
    const { path, record, headers, body } = received
    const { options, tokens, clock } = this.#parts
    if (path === 'sys/health') {
      record.operation = 'health'
      return jsonAnswer(200, { initialized: true, sealed: false, standby: false })
    }
    // Vault asks for a token first, also on a path where nothing is mounted.
    const login = loginAt(/^auth\/(.+)\/login$/.exec(path)?.[1] ?? '')
    if (login !== undefined) {
      record.operation = 'login'
      const input = readInput(body)
      const granted = await login({ options, input, nowMs: clock.now() })
      const { ttlSeconds = 3_600, maxTtlSeconds = 4 * ttlSeconds } = granted
      return answerOf(200, {
        auth: authOf(tokens.issue({ ...granted, ttlSeconds, maxTtlSeconds })),
      })
    }
    const token = tokens.find(tokenOf(headers))
    if (path.startsWith('auth/token/')) return this.#token(path.slice(11), token, record)
    return this.#transit(received, token)
  }

  #token(path: string, token: StoredToken, record: CallRecord): PlainAnswer {
    const { tokens, clock } = this.#parts
    record.operation = path
    switch (path) {
      case 'renew-self': {
        const { seconds, isCut } = tokens.renew(token)
        const auth = { ...authOf(token), lease_duration: seconds }
        const warning = `TTL of "${String(token.ttlSeconds)}s" exceeded the effective max_ttl of "${String(seconds)}s"; TTL value is capped accordingly`
        return answerOf(200, { auth, ...(isCut && { warnings: [warning] }) })
      }
      case 'lookup-self': {
        const ttl = Math.ceil((token.expiresAtMs - clock.now()) / 1_000)
        const { accessor, renewable } = token
        return answerOf(200, { data: { accessor, renewable, ttl: ttl === Infinity ? 0 : ttl } })
      }
      case 'revoke-self':
        tokens.revoke(token.id)
        return answerOf(204, {})
      default:
        throw notFound(`1 error occurred:\n\t* unsupported path\n\n`)
    }
  }

  async #transit(received: Received, token: StoredToken): Promise<PlainAnswer> {
    const { method, namespace, path, body, record } = received
    const { options, keys, tokens } = this.#parts
    const { mounts = ['transit'] } = options
    const mount = mounts.find((one) => path.startsWith(`${one}/`))
    const authorize = (capability: Parameters<Tokens['authorize']>[2]): void => {
      tokens.authorize(token, namespace + path, capability)
    }
    if (mount === undefined) {
      authorize(method === 'GET' ? 'read' : 'update')
      throw notFound(`no handler for route "${path}". route entry not found.`)
    }
    const { status = 200, ...members } = await transit({
      keys,
      mount: namespace + mount,
      method,
      path: path.slice(mount.length + 1).split('/'),
      input: readInput(body),
      defects: new Set(options.defects),
      disableUpsert: options.disableUpsert === true,
      authorize,
      record,
    })
    return answerOf(status, members)
  }
}

/** The operation that a path names, before the path is known to exist: faults are matched with it. */
function operationOf(path: string): string {
  if (/(^|\/)auth\/.+\/login$/.test(path)) return 'login'
  const last = /(renew-self|lookup-self|revoke-self|rotate|config|health)$/.exec(path)?.[1]
  return last ?? /(?:^|\/)(encrypt|decrypt|rewrap|datakey|keys)(?:\/|$)/.exec(path)?.[1] ?? ''
}

function tokenOf(headers: Headers): string | null {
  return (
    headers.get('x-vault-token') ?? headers.get('authorization')?.replace(/^Bearer /, '') ?? null
  )
}

function authOf({ id, accessor, ttlSeconds, renewable }: StoredToken): object {
  return {
    client_token: id,
    accessor,
    lease_duration: ttlSeconds,
    renewable,
    token_type: 'service',
  }
}

function answerOf(status: number, { data = null, auth = null, warnings }: Members): PlainAnswer {
  return jsonAnswer(status, {
    request_id: crypto.randomUUID(),
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    data,
    wrap_info: null,
    warnings: warnings ?? null,
    auth,
  })
}

function jsonAnswer(status: number, members: object): PlainAnswer {
  const body = `${JSON.stringify(members)}\n`
  const headers = {
    'content-type': 'application/json',
    'content-length': String(encodeUtf8(body).length),
    'cache-control': 'no-store',
  }
  return status === 204 ? { status, headers: {}, body: '' } : { status, headers, body }
}

function redirect(location: string): PlainAnswer {
  return { status: 307, headers: { location }, body: '' }
}
