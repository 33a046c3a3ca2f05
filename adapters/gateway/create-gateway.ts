import { type Context, Hono } from 'hono'
import type { KmsSignalOptions } from '../../src/index.ts'
import { bodyBytesOf, isHttp10 } from './framing.ts'
import { refuseForeign } from './guard.ts'
import { lingering } from './lingering.ts'
import { type Handler, messageRoutes } from './message-routes.ts'
import { GatewayMetrics, type RouteName } from './metrics.ts'
import { type GatewayOptions, settingsOf } from './options.ts'
import { codeOf, GatewayError, problemOf } from './problem.ts'
import { RequestBody } from './request-body.ts'
import { statusRoutes } from './status-routes.ts'

/** Their answers end when the body does. */
const STREAMED: ReadonlySet<RouteName> = new Set(['encrypt', 'decrypt', 'rewrap'])

/**
 * Returns a hono app that offers a cipher over HTTP, for any server with a `fetch` handler. Bodies are raw bytes and
 * stream both ways; context and aad are headers.
 *
 * @remarks Security: the gateway does not authenticate. Anyone who can send it a request can decrypt. See
 * {@link GatewayOptions.hosts}.
 *
 * @throws KmsError `ERR_KMS_CONFIG` for a missing, wrong or unknown option
 *
 * @example
 * ```ts
 * import { CachedKms, EnvelopeCipher } from 'edge-kms'
 * import { createGateway } from 'edge-kms/gateway'
 * import { createLocalKms } from 'edge-kms/local'
 *
 * const key = crypto.getRandomValues(new Uint8Array(32))
 * const kms = createLocalKms({ versions: [{ version: 1, key }] })
 * const keys = new CachedKms({ kms })
 * const gateway = createGateway({
 *   cipher: new EnvelopeCipher({ keys }),
 *   kms,
 *   cacheStats: () => keys.stats(),
 * })
 * export default { fetch: gateway.fetch }
 * ```
 */
export function createGateway(options: GatewayOptions): Hono {
  const settings = settingsOf(options)
  const metrics = new GatewayMetrics()
  const app = new Hono()

  function serve(route: RouteName, method: 'GET' | 'POST', path: string, handler: Handler): void {
    const allow = method === 'GET' ? 'GET, HEAD' : method
    app.on(method, path, (c) => settle(c, route, handler))
    app.all(path, (c) =>
      settle(c, route, () => {
        throw new GatewayError('ERR_GATEWAY_METHOD_NOT_ALLOWED', { allow })
      }),
    )
  }

  /** Every request goes through here, and leaves with an answer that is counted. */
  async function settle(c: Context, route: RouteName, handler: Handler): Promise<Response> {
    const request = c.req.raw
    const body = new RequestBody(request)
    try {
      const url = refuseForeign(request, settings.hosts)
      const framing = { bodyBytes: bodyBytesOf(request), isHttp10: isHttp10(request, c.env) }
      const call = { request, url, body, ...framing }
      const response = await handler({ ...call, options: callOptions(c) })
      metrics.answered(route, 'ok')
      return STREAMED.has(route) ? response : await lingering(response, body)
    } catch (error) {
      metrics.answered(route, codeOf(error))
      return lingering(problemOf(error), body)
    }
  }

  const message = messageRoutes(settings, metrics)
  serve('encrypt', 'POST', '/v1/encrypt', message.encrypt)
  serve('decrypt', 'POST', '/v1/decrypt', message.decrypt)
  serve('rewrap', 'POST', '/v1/rewrap', message.rewrap)
  serve('inspect', 'POST', '/v1/inspect', message.inspect)
  const status = statusRoutes(settings, metrics)
  serve('help', 'GET', '/', status.help)
  serve('healthz', 'GET', '/healthz', status.healthz)
  serve('readyz', 'GET', '/readyz', status.readyz)
  serve('metrics', 'GET', '/metrics', status.metrics)
  app.all('*', (c) =>
    settle(c, 'other', () => {
      throw new GatewayError('ERR_GATEWAY_NOT_FOUND')
    }),
  )
  app.onError((error) => problemOf(error)) // what hono itself cannot take
  return app
}

/** Keeps work alive after the answer where the platform can. */
function callOptions(c: Context): KmsSignalOptions {
  try {
    const { executionCtx } = c
    return { defer: (work) => executionCtx.waitUntil(work) }
  } catch {
    return {} // hono throws where the server gave none
  }
}
