/**
 * The fake of AWS behind a port, in a process of its own. It checks signatures and encrypts, which
 * costs more than the clients do: so what it answered is said again, and it is asked anew now and then.
 */
import { createServer } from 'node:http'
import { createFakeAws } from '../../adapters/fakes/index.ts'

/** Every so many requests of an operation go to the fake, and must be right. */
const ASK_EVERY = 64

const fake = createFakeAws()
const { arn } = fake.createKey()
const kept = new Map()

async function ask(incoming, target, body) {
  const headers = new Headers()
  for (let at = 0; at < incoming.rawHeaders.length; at += 2)
    headers.append(incoming.rawHeaders[at], incoming.rawHeaders[at + 1])
  const url = `http://${incoming.headers.host}${incoming.url}`
  const response = await fake.fetch(new Request(url, { method: 'POST', headers, body }))
  fake.forgetCalls()
  const answer = {
    status: response.status,
    headers: [...response.headers].flat(),
    body: Buffer.from(await response.arrayBuffer()),
    left: ASK_EVERY,
  }
  // A refusal is passed on, and ends the benchmark at the client.
  if (response.status === 200) kept.set(target, answer)
  return answer
}

async function answer(incoming, outgoing, body) {
  const target = incoming.headers['x-amz-target']
  const known = kept.get(target)
  // The floor sends no signature: there is nothing to check.
  const unsigned = incoming.headers.authorization === undefined
  const again = known !== undefined && (unsigned || known.left-- > 0)
  const { status, headers, body: bytes } = again ? known : await ask(incoming, target, body)
  outgoing.writeHead(status, headers)
  outgoing.end(bytes)
}

const server = createServer((incoming, outgoing) => {
  const pieces = []
  incoming.on('data', (piece) => pieces.push(piece))
  incoming.on('end', () => {
    answer(incoming, outgoing, Buffer.concat(pieces)).catch(() => outgoing.destroy())
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const endpoint = `http://127.0.0.1:${address.port}`
  console.log(JSON.stringify({ endpoint, arn, region: fake.region, credentials: fake.credentials }))
})
