/** Lambda's Runtime API on loopback: hands invocations to a runtime, and keeps what it answers. */
import { once } from 'node:events'
import { createServer } from 'node:http'

const BASE = '/2018-06-01/runtime'

/**
 * @typedef {{ kind: 'response' | 'error', headers: import('node:http').IncomingHttpHeaders, body: Buffer,
 *   trailers: Record<string, string | undefined>, broken: boolean }} Answer
 */

/** Of a request that breaks off: what came until then. */
async function bodyOf(request) {
  const pieces = []
  try {
    for await (const piece of request) pieces.push(piece)
    return { body: Buffer.concat(pieces), broken: false }
  } catch {
    return { body: Buffer.concat(pieces), broken: true }
  }
}

export async function openRuntimeApi() {
  const queue = []
  const waiting = []
  /** @type {Map<string, (answer: Answer) => void>} */
  const asked = new Map()
  const calls = []
  let restore = Promise.resolve()
  let last = 0

  const hand = () => {
    while (queue.length > 0 && waiting.length > 0) {
      const { id, event, deadlineMs } = queue.shift()
      waiting
        .shift()
        .writeHead(200, {
          'content-type': 'application/json',
          'lambda-runtime-aws-request-id': id,
          'lambda-runtime-deadline-ms': String(deadlineMs),
          'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:123456789012:function:f',
          'lambda-runtime-trace-id': 'Root=1-0-0;Sampled=0',
        })
        .end(JSON.stringify(event))
    }
  }

  const server = createServer((request, response) => {
    void (async () => {
      const path = (request.url ?? '').slice(BASE.length)
      if (path === '/invocation/next') {
        waiting.push(response)
        response.once('close', () => {
          if (waiting.includes(response)) waiting.splice(waiting.indexOf(response), 1)
        })
        hand()
        return
      }
      if (path === '/restore/next') {
        calls.push({ path, body: '' })
        await restore
        response.writeHead(200).end()
        return
      }
      const { body, broken } = await bodyOf(request)
      const [, id, kind] = /^\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? []
      if (id === undefined) calls.push({ path, body: body.toString() })
      const { headers, trailers } = request
      asked.get(id ?? '')?.({
        kind: kind === 'response' ? kind : 'error',
        headers,
        body,
        trailers,
        broken,
      })
      if (!response.destroyed) response.writeHead(202).end('{"status":"OK"}')
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')

  return {
    address: `127.0.0.1:${address.port}`,
    /** Calls that belong to no invocation, in order. */
    calls,
    /** Lets `/restore/next` wait for this. */
    holdRestore: (until) => (restore = until),
    /** @returns {Promise<Answer>} */
    ask(event, timeoutMs = 10_000) {
      const id = `request-${++last}`
      queue.push({ id, event, deadlineMs: Date.now() + timeoutMs })
      const answer = new Promise((resolve) => asked.set(id, resolve))
      hand()
      return /** @type {Promise<Answer>} */ (answer)
    },
    /** The JSON of an answer; throws what the function threw. */
    async invoke(event, timeoutMs = 10_000) {
      const { kind, body } = await this.ask(event, timeoutMs)
      const value = JSON.parse(body.toString())
      if (kind === 'response') return value
      throw Object.assign(new Error(`${value.errorType}: ${value.errorMessage}`), value)
    },
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
