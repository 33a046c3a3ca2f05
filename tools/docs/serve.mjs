/** Serves a built site on loopback, as a static host with clean URLs does. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/**
 * Returns the file that answers a path, or `undefined`: `/a` is `a.html` or `a/index.html`.
 *
 * @param {string} folder
 * @param {string} pathname decoded
 */
export function fileOf(folder, pathname) {
  const path = join(folder, normalize(`/${pathname}`))
  const candidates = pathname.endsWith('/')
    ? [join(path, 'index.html')]
    : [path, `${path}.html`, join(path, 'index.html')]
  return candidates.find((file) => existsSync(file) && statSync(file).isFile())
}

/**
 * @param {string} folder
 * @param {number} port 0 for any that is free
 * @returns {Promise<{ origin: string, stop: () => Promise<void> }>}
 */
export async function serveSite(folder, port) {
  const server = createServer((request, response) => {
    void (async () => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost')
      const found = fileOf(folder, decodeURIComponent(pathname))
      const file = found ?? join(folder, '404.html')
      const type = TYPES[extname(file)] ?? 'application/octet-stream'
      response.writeHead(found === undefined ? 404 : 200, { 'content-type': type })
      response.end(await readFile(file))
    })().catch(() => response.destroy())
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(undefined))
  })
  const { port: at } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return {
    origin: `http://127.0.0.1:${String(at)}`,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
