import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { withKmsStream } from '../../../adapters/lambda/index.ts'
import { KmsError } from '../../../src/index.ts'
import { turn } from '../../support/fake-world.ts'
import { deferred, setup, V2 } from './support.ts'

// The protocol of the runtime itself is proven under Lambda's own client: test/servers/lambda.

interface Global {
  awslambda?: unknown
}

afterEach(() => {
  delete (globalThis as Global).awslambda
})

/** Puts a global in Lambda's place that keeps the metadata beside the bytes. */
function lambdaGlobal() {
  const metadata: object[] = []
  const HttpResponseStream = {
    from: (stream: object, one: object) => {
      metadata.push(one)
      return stream
    },
  }
  ;(globalThis as Global).awslambda = {
    streamifyResponse: (one: unknown) => one,
    HttpResponseStream,
  }
  return metadata
}

const read = async (stream: PassThrough) => {
  let text = ''
  for await (const piece of stream) text += String(piece)
  return text
}

const failing = (error: Error, ...pieces: string[]) =>
  new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift()
      if (piece === undefined) controller.error(error)
      else controller.enqueue(new TextEncoder().encode(piece))
    },
  })

const streamOf = (handler: unknown) =>
  handler as (event: unknown, stream: PassThrough, context: unknown) => Promise<void>

describe('withKmsStream under Lambda', () => {
  it('sends status, headers and a decrypted body piece by piece', async () => {
    const metadata = lambdaGlobal()
    const { cipher, context, options } = setup()
    const plaintext = new TextEncoder().encode('x'.repeat(300_000))
    const sealed = new Blob([plaintext]).stream().pipeThrough(cipher.encryptStream())
    const handler = streamOf(
      withKmsStream(
        (_event: unknown, _context, kms) => ({
          statusCode: 206,
          headers: { 'content-type': 'text/plain' },
          cookies: ['a=1'],
          body: sealed.pipeThrough(kms.cipher.decryptStream({ signal: kms.signal })),
        }),
        options,
      ),
    )
    const out = new PassThrough({ highWaterMark: 1_000 })
    const [text] = await Promise.all([read(out), handler(V2, out, context(3_000))])
    expect(text).toBe('x'.repeat(300_000))
    expect(metadata).toEqual([
      { statusCode: 206, headers: { 'content-type': 'text/plain' }, cookies: ['a=1'] },
    ])
  })

  it('sends the status of an answer without a body', async () => {
    const metadata = lambdaGlobal()
    const { context, options } = setup()
    const out = new PassThrough()
    const handler = streamOf(withKmsStream(() => ({ statusCode: 204 }), options))
    const [text] = await Promise.all([read(out), handler(V2, out, context(3_000))])
    expect([text, metadata]).toEqual(['', [{ statusCode: 204, headers: {} }]])
  })

  it('answers a problem while nothing was sent: the handler, or a body that fails at its start', async () => {
    for (const make of [
      () => {
        throw new KmsError('ERR_DECRYPT_FAILED')
      },
      () => ({ body: failing(new KmsError('ERR_DECRYPT_FAILED')) }),
    ]) {
      const metadata = lambdaGlobal()
      const { context, options } = setup()
      const heard: unknown[] = []
      const onError = (error: unknown) => heard.push(error)
      const handler = streamOf(withKmsStream(make, { ...options, onError }))
      const out = new PassThrough()
      const [text] = await Promise.all([read(out), handler(V2, out, context(3_000))])
      expect(metadata).toMatchObject([{ statusCode: 422 }])
      expect(JSON.parse(text)).toMatchObject({ code: 'ERR_DECRYPT_FAILED', status: 422 })
      expect(heard).toHaveLength(1)
    }
  })

  it('never ends the stream of a body that fails later', async () => {
    lambdaGlobal()
    const { context, options } = setup()
    const error = new KmsError('ERR_DECRYPT_FAILED')
    const handler = streamOf(withKmsStream(() => ({ body: failing(error, 'begun') }), options))
    const out = new PassThrough()
    await expect(handler(V2, out, context(3_000))).rejects.toBe(error)
    expect(out.writableEnded).toBe(false)
    expect(String(out.read())).toBe('begun')
  })

  it('gives up a body or a client that hangs when the signal aborts, and cancels the source', async () => {
    for (const hangs of ['body', 'client']) {
      lambdaGlobal()
      const { context, options, world } = setup()
      let cancelled = false
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          if (hangs === 'body') return new Promise(() => undefined)
          controller.enqueue(new Uint8Array(100))
          return undefined
        },
        cancel: () => {
          cancelled = true
        },
      })
      const handler = streamOf(withKmsStream(() => ({ body }), options))
      const out = new PassThrough({ highWaterMark: 10 })
      const call = handler({}, out, context(3_000))
      call.catch(() => undefined)
      await world.advance(2_500)
      await expect(call).rejects.toMatchObject({ code: 'ERR_KMS_TIMEOUT' })
      await turn()
      expect([cancelled, out.writableEnded, out.listenerCount('drain')]).toEqual([true, false, 0])
    }
  })

  it('takes text and bytes of an async iterable, and ends it when it is not read to its end', async () => {
    lambdaGlobal()
    const { context, options } = setup()
    let ended = 0
    const lines = async function* () {
      try {
        yield 'one '
        yield new TextEncoder().encode('two')
      } finally {
        ended += 1
      }
    }
    const handler = streamOf(withKmsStream(() => ({ body: lines() }), options))
    const out = new PassThrough()
    const [text] = await Promise.all([read(out), handler(V2, out, context(3_000))])
    expect([text, ended]).toEqual(['one two', 1])
    const gone = new PassThrough()
    gone.destroy()
    await expect(handler(V2, gone, context(3_000))).rejects.toThrow('was closed')
    await turn()
    expect(ended).toBe(2)
  })

  it('stops when the client goes away', async () => {
    lambdaGlobal()
    const { context, options } = setup()
    const body = new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(new Uint8Array(100)) })
    const out = new PassThrough({ highWaterMark: 10 })
    const call = streamOf(withKmsStream(() => ({ body }), options))({}, out, context(3_000))
    await turn()
    out.destroy()
    await expect(call).rejects.toThrow('the response stream was closed')
  })

  it('awaits deferred work after the stream has ended', async () => {
    lambdaGlobal()
    const { context, options } = setup()
    const work = deferred()
    let over = false
    const handler = withKmsStream((_event: unknown, _context, { defer }) => {
      defer(work.promise)
      return { body: 'whole' }
    }, options)
    const out = new PassThrough()
    const call = streamOf(handler)(V2, out, context(3_000)).then(() => (over = true))
    expect(await read(out)).toBe('whole')
    await turn()
    expect(over).toBe(false)
    work.resolve()
    await call
  })
})

describe('withKmsStream elsewhere', () => {
  it('answers in one piece, in base64', async () => {
    const { context, options } = setup()
    const body = new Blob(['abc', 'def']).stream() as ReadableStream<Uint8Array>
    const handler = withKmsStream(() => ({ statusCode: 201, body }), options)
    expect(await handler(V2, context(3_000))).toEqual({
      statusCode: 201,
      body: btoa('abcdef'),
      isBase64Encoded: true,
    })
  })

  it('answers a problem also for a body that fails late: nothing was sent', async () => {
    const { context, options } = setup()
    const body = failing(new KmsError('ERR_DECRYPT_FAILED'), 'begun')
    const answer = await withKmsStream(() => ({ body }), options)(V2, context(3_000))
    expect(answer).toMatchObject({ statusCode: 422, isBase64Encoded: false })
    expect(answer.body).not.toContain('begun')
  })

  it('refuses wrong options', () => {
    const { options } = setup()
    expect(() => withKmsStream(1 as never, options)).toThrow('handler must be a function')
    const wrong = { ...options, onError: 1 } as never
    expect(() => withKmsStream(() => ({}), wrong)).toThrow('onError must be a function')
  })
})
