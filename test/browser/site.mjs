/** A site on loopback, which is a secure context: pages under a strict policy, the guide's routes, and a gateway. */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { EnvelopeCipher } from '../../src/index.ts'
import { createLocalKms } from '../../src/providers/local/index.ts'
import { createGateway } from '../../adapters/gateway/index.ts'

/** No inline script and no `eval`: what a careful site sends. */
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'"

/** @param {{ files: Map<string, Uint8Array>, handlers: Record<string, string> }} laidOut */
export async function startSite({ files, handlers }) {
  const session = randomBytes(16).toString('hex')
  process.env['DEMO_SESSION'] = session
  process.env['EDGE_KMS_KEY_V1'] = randomBytes(32).toString('base64')
  const kms = createLocalKms({ versions: [{ version: 1, key: randomBytes(32) }] })
  const gateway = createGateway({ cipher: new EnvelopeCipher({ kms }), kms })
  /** @type {Record<string, { POST(request: Request): Promise<Response> }>} */
  const routes = {}
  for (const [path, file] of Object.entries(handlers)) routes[path] = await import(file)

  /** @param {Request} request */
  async function answer(request) {
    const { pathname } = new URL(request.url)
    const name = pathname.slice(1)
    if (routes[pathname] !== undefined) return routes[pathname].POST(request)
    if (pathname.startsWith('/v1/')) return gateway.fetch(request)
    if (name.endsWith('.html') && files.has(name.replace('.html', '.js'))) return pageOf(name)
    const body = files.get(name)
    if (body === undefined) return new Response(null, { status: 404 })
    return new Response(Buffer.from(body), { headers: { 'content-type': 'text/javascript' } })
  }

  const server = createServer((incoming, outgoing) => {
    void answer(requestOf(incoming)).then(
      (response) => send(response, outgoing),
      (/** @type {unknown} */ error) => {
        console.log(`the site failed: ${String(error)}`)
        outgoing.writeHead(500).end()
      },
    )
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    origin: `http://127.0.0.1:${port}`,
    session,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function pageOf(name) {
  const script = `<script type="module" src="/${name.replace('.html', '.js')}"></script>`
  return new Response(`<!doctype html><meta charset="utf-8"><title>${name}</title>${script}`, {
    headers: { 'content-type': 'text/html', 'content-security-policy': POLICY },
  })
}

/** @param {import('node:http').IncomingMessage} incoming */
function requestOf(incoming) {
  const { method = 'GET', headers } = incoming
  const hasBody = !['GET', 'HEAD'].includes(method)
  return new Request(`http://${headers.host}${incoming.url}`, {
    method,
    headers: /** @type {Record<string, string>} */ (headers),
    ...(hasBody && { body: /** @type {any} */ (Readable.toWeb(incoming)), duplex: 'half' }),
  })
}

/** @param {Response} response @param {import('node:http').ServerResponse} outgoing */
async function send(response, outgoing) {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  if (response.body === null) outgoing.end()
  else
    Readable.fromWeb(/** @type {any} */ (response.body))
      .on('error', () => outgoing.destroy())
      .pipe(outgoing)
}
