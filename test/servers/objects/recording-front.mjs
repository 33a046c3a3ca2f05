/** A loopback port before a server that notes how each request states its length. */
import { createServer, request as send } from 'node:http'
import { pipeline } from 'node:stream'
import { listen } from '../../../tools/servers/front.mjs'

/**
 * @typedef {object} Noted
 * @property {string} method
 * @property {string} url
 * @property {string | undefined} length the Content-Length
 * @property {string | undefined} coding the Transfer-Encoding
 *
 * @param {string} endpoint
 * @returns {Promise<{ url: string, noted: Noted[], close: () => Promise<void> }>}
 */
export async function openRecordingFront(endpoint) {
  /** @type {Noted[]} */
  const noted = []
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming
    const { 'content-length': length, 'transfer-encoding': coding } = headers
    noted.push({ method, url, length, coding })
    // The host is part of what was signed, so it is kept.
    const forwarded = send(new URL(url, endpoint), { method, headers, agent: false }, (answer) => {
      if (outgoing.destroyed) return void answer.destroy() // the client has left
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      pipeline(answer, outgoing, () => undefined)
    })
    forwarded.on('error', () => outgoing.destroy())
    pipeline(incoming, forwarded, () => undefined)
  })
  return { ...(await listen(server)), noted }
}
