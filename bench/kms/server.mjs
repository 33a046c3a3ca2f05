/** `server.mjs <vendor>`: the fake of a vendor behind a port, in a process of its own. */
import { createServer } from 'node:http'
import { listen } from '../../tools/servers/front.mjs'
import { repeater } from './repeater.mjs'

const { createWorld } = await import(`./worlds/${process.argv[2]}.mjs`)
const { fake, urlOf, operationOf, isFloor = () => false, place } = await createWorld()
const repeat = repeater(({ status }) => status === 200)

async function ask(incoming, body) {
  const headers = new Headers()
  for (let at = 0; at < incoming.rawHeaders.length; at += 2)
    headers.append(incoming.rawHeaders[at], incoming.rawHeaders[at + 1])
  const { method } = incoming
  const init = { method, headers, ...(method !== 'GET' && { body }) }
  const response = await fake.fetch(new Request(urlOf(incoming), init))
  fake.forgetCalls()
  const bytes = Buffer.from(await response.arrayBuffer())
  return { status: response.status, headers: [...response.headers].flat(), bytes }
}

async function serve(incoming, outgoing, body) {
  const operation = `${incoming.method} ${operationOf(incoming, body)}`
  const answer = await repeat(operation, () => ask(incoming, body), isFloor(incoming))
  outgoing.writeHead(answer.status, answer.headers)
  outgoing.end(answer.bytes)
}

const server = createServer((incoming, outgoing) => {
  const pieces = []
  incoming.on('data', (piece) => pieces.push(piece))
  incoming.on('end', () => {
    serve(incoming, outgoing, Buffer.concat(pieces)).catch(() => outgoing.destroy())
  })
})
server.keepAliveTimeout = 60_000
const { url: endpoint } = await listen(server)
console.log(JSON.stringify({ endpoint, ...place }))
