/** Puts a fetch handler behind a loopback port, so that clients which own their transport reach it. */
import { createServer } from 'node:http'

async function bodyOf(incoming) {
  const chunks = []
  for await (const chunk of incoming) chunks.push(chunk)
  return chunks.length === 0 ? null : Buffer.concat(chunks)
}

async function answer(handler, incoming, outgoing) {
  const gone = new AbortController()
  outgoing.once('close', () => gone.abort())
  const body = await bodyOf(incoming)
  const headers = new Headers()
  for (let at = 0; at < incoming.rawHeaders.length; at += 2)
    headers.append(incoming.rawHeaders[at], incoming.rawHeaders[at + 1])
  // The host as the client wrote it: it is part of what was signed.
  const url = `http://${incoming.headers.host}${incoming.url}`
  const init = { method: incoming.method ?? 'GET', headers, body, signal: gone.signal }
  const response = await handler(new Request(url, init))
  outgoing.writeHead(response.status, [...response.headers].flat())
  for await (const chunk of response.body ?? []) outgoing.write(chunk)
  outgoing.end()
}

/**
 * @param {(request: Request) => Promise<Response>} handler a rejection resets the connection
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function openFront(handler) {
  const server = createServer((incoming, outgoing) => {
    answer(handler, incoming, outgoing).catch(() => outgoing.destroy())
  })
  return listen(server)
}

/**
 * Opens a server on a free port of the loopback interface.
 *
 * @param {import('node:http').Server} server
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function listen(server) {
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve(undefined))
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const close = () =>
    new Promise((resolve) => {
      server.close(() => resolve(undefined))
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${port}`, close }
}
