import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createNodeNetwork } from '../../../adapters/node/index.ts'
import { isKmsError, type KmsError } from '../../../src/errors.ts'
import { Transport } from '../../../src/http/index.ts'
import { closed, newNetwork, serve } from './server.ts'

const post = { method: 'POST', headers: { 'x-canary': 'secret-canary' }, body: '{"ü":1}' } as const

async function failure(work: Promise<unknown>): Promise<KmsError> {
  const error: unknown = await work.then(
    () => new Error('no error'),
    (caught: unknown) => caught,
  )
  if (isKmsError(error)) return error
  throw error
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of incoming.setEncoding('utf8')) text += piece as string
  return text
}

describe('edge-kms/node: a request', () => {
  it('arrives as it was given, and its answer is given back', async () => {
    let seen: unknown
    const { url } = await serve((incoming, outgoing) => {
      void textOf(incoming).then((text) => {
        const { method, headers } = incoming
        seen = [method, headers['x-canary'], headers['content-length'], headers.host, text]
        outgoing.writeHead(418, { date: 'today', 'set-cookie': ['a=1', 'b=2'] }).end('héllo')
      })
    })
    const transport = new Transport({ network: newNetwork() })
    const { status, headers, body } = await transport.send({ ...post, url })
    expect(seen).toEqual(['POST', 'secret-canary', '8', new URL(url).host, post.body])
    expect([status, new TextDecoder().decode(body)]).toEqual([418, 'héllo'])
    expect(['Date', 'set-cookie', 'none'].map((name) => headers.get(name))).toEqual([
      'today',
      'a=1, b=2',
      null,
    ])
  })

  it('takes bytes, headers in every form, and no body', async () => {
    const bodies: string[] = []
    const { url } = await serve((incoming, outgoing) => {
      void textOf(incoming).then((text) => {
        bodies.push(`${String(incoming.headers['x-a'])} ${text}`)
        outgoing.end()
      })
    })
    const { fetch } = newNetwork()
    const bytes = new TextEncoder().encode('bytes')
    await fetch(url, { method: 'PUT', headers: new Headers({ 'x-a': '1' }), body: bytes })
    await fetch(url, { headers: [['x-a', '2']] })
    expect(bodies).toEqual(['1 bytes', '2 '])
    await expect(fetch(url, { method: 'POST', body: new FormData() })).rejects.toThrow(TypeError)
  })

  it('R9 a redirect is not followed, and is refused by the transport', async () => {
    let requests = 0
    const { url } = await serve((_incoming, outgoing) => {
      requests += 1
      outgoing.writeHead(307, { location: '/elsewhere' }).end()
    })
    const transport = new Transport({ network: newNetwork() })
    expect((await failure(transport.send({ ...post, url }))).code).toBe('ERR_KMS_RESPONSE_INVALID')
    expect(requests).toBe(1)
  })

  it('R12 a header cannot hold another one', async () => {
    const { url, sockets } = await serve((_incoming, outgoing) => outgoing.end())
    const headers = { 'x-a': 'b\r\nx-canary: secret-canary' }
    const error = await failure(
      new Transport({ network: newNetwork() }).send({ method: 'POST', url, headers }),
    )
    expect(error.code).toBe('ERR_KMS_UNAVAILABLE')
    expect(JSON.stringify(error) + String(error.cause)).not.toContain('canary')
    expect(sockets).toHaveLength(0)
  })
})

describe('edge-kms/node: connections', () => {
  const echo = (_incoming: IncomingMessage, outgoing: ServerResponse): void => {
    outgoing.end('{}')
  }

  it('serve one request after the other', async () => {
    const { url, sockets } = await serve(echo)
    const transport = new Transport({ network: newNetwork() })
    for (let i = 0; i < 10; i++) await transport.send({ ...post, url })
    expect(sockets).toHaveLength(1)
  })

  it('are no more than allowed; who waits for one still hears an abort', async () => {
    const waiting: ServerResponse[] = []
    const { url, sockets } = await serve((_incoming, outgoing) => waiting.push(outgoing))
    const { fetch } = newNetwork({ maxConnections: 2 })
    const controller = new AbortController()
    const work = [1, 2].map(() => fetch(url, post))
    const third = fetch(url, { ...post, signal: controller.signal })
    const reason = new Error('stop')
    controller.abort(reason)
    await expect(third).rejects.toBe(reason)
    while (waiting.length < 2) await new Promise((resolve) => setImmediate(resolve))
    for (const outgoing of waiting) outgoing.end()
    expect((await Promise.all(work)).map(({ status }) => status)).toEqual([200, 200])
    expect(sockets).toHaveLength(2)
  })

  it('R9 that cannot be made are typed errors with the system’s code', async () => {
    const error = await failure(
      new Transport({ network: newNetwork() }).send({ ...post, url: 'http://127.0.0.1:9/' }),
    )
    expect([error.code, String(error.cause)]).toEqual([
      'ERR_KMS_UNAVAILABLE',
      'Error: ECONNREFUSED',
    ])
  })

  it.each([
    { maxConnections: 0 },
    { maxConnections: 1.5 },
    { maxConnections: 1_025 },
    { idleMs: 0 },
    { idleMs: 600_001 },
    { maxSockets: 5 },
  ])('R12 are not made by options that are wrong: %o', (options) => {
    let code = 'no error'
    try {
      createNodeNetwork(options)
    } catch (error) {
      if (isKmsError(error)) code = error.code
    }
    expect(code).toBe('ERR_KMS_CONFIG')
  })
})

describe('R9 edge-kms/node: a body', () => {
  it('that is too long is not taken in, and the sender is held back', async () => {
    let written = 0
    const { url, sockets } = await serve((_incoming, outgoing) => {
      const piece = Buffer.alloc(65_536)
      const more = (): void => {
        while (outgoing.write(piece)) written += piece.length
        outgoing.once('drain', more)
      }
      more()
    })
    const transport = new Transport({ network: newNetwork(), maxBodyBytes: 1_000 })
    expect((await failure(transport.send({ ...post, url }))).code).toBe('ERR_KMS_RESPONSE_INVALID')
    await closed(sockets[0])
    expect(written).toBeLessThan(64 * 1_048_576)
  })

  it('that breaks off is not an answer', async () => {
    const { url } = await serve((_incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-length': '10' }).write('{"a":')
      setImmediate(() => outgoing.destroy())
    })
    const transport = new Transport({ network: newNetwork() })
    expect((await failure(transport.send({ ...post, url }))).code).toBe('ERR_KMS_UNAVAILABLE')
  })

  it('R21 that hangs ends with the signal, and the connection with it', async () => {
    const controller = new AbortController()
    const { url, sockets } = await serve((_incoming, outgoing) => {
      outgoing.writeHead(200).write('{')
      setImmediate(() => {
        controller.abort(new Error('stop'))
      })
    })
    const { signal } = controller
    const transport = new Transport({ network: newNetwork() })
    await expect(transport.send({ ...post, url, signal })).rejects.toThrow('stop')
    await closed(sockets[0])
    expect(sockets).toHaveLength(1)
  })
})
