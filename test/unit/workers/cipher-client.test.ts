import { describe, expect, it } from 'vitest'
import {
  type CipherClient,
  type CipherService,
  createCipherClient,
  type StreamAnswer,
} from '../../../adapters/workers/index.ts'
import { isKmsError, type KmsError } from '../../../src/index.ts'

// R39: the client against services that fail, hang and lie. A service in workerd: test/workerd/cipher-service.test.ts.

const BYTES = new Uint8Array([1, 2, 3])
const clientOf = (service: object, timeoutMs = 200): CipherClient =>
  createCipherClient(service as CipherService, { timeoutMs })

async function thrown(work: Promise<unknown>): Promise<KmsError> {
  try {
    await work
  } catch (error) {
    if (isKmsError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

const never = (): Promise<never> => new Promise(() => undefined)

describe('options of the client', () => {
  it.each<[string, unknown, object, string]>([
    [
      'no binding',
      undefined,
      {},
      'binding must be the service binding of a CipherEntrypoint, got undefined',
    ],
    ['null', null, {}, 'binding must be the service binding of a CipherEntrypoint, got null'],
    ['an unknown option', {}, { name: 'pii' }, 'unknown option: name'],
    ['an empty key', {}, { key: '' }, 'key must be the name of a cipher, got an empty string'],
    ['no time', {}, { timeoutMs: 0 }, 'timeoutMs must be an integer from 1 to 600000, got 0'],
  ])('refuses %s', (_, binding, options, message) => {
    expect(() => createCipherClient(binding as CipherService, options)).toThrow(message)
  })

  it('names its key to the service, and sends no signal and no callback', async () => {
    const sent: unknown[] = []
    const service = {
      encrypt: async (...values: unknown[]) => {
        sent.push(...values)
        return { ok: true, value: BYTES }
      },
    }
    const client = createCipherClient(service as unknown as CipherService, { key: 'pii' })
    const options = {
      context: { a: 'b' },
      signal: new AbortController().signal,
      defer: () => undefined,
    }
    expect(await client.encrypt(BYTES, options)).toBe(BYTES)
    expect(sent).toEqual([BYTES, { context: { a: 'b' }, key: 'pii' }])
  })
})

describe('answers that are not trusted', () => {
  it.each([
    ['nothing', undefined],
    ['a text', 'ok'],
    ['no ok', { value: BYTES }],
    ['ok that is not true', { ok: 'true', value: BYTES }],
    ['no value', { ok: true }],
    ['an error without a code', { ok: false, error: {} }],
    ['no error', { ok: false }],
    ['a code that nobody knows', { ok: false, error: { code: 'ERR_FROM_ANOTHER_VERSION' } }],
  ])('are ERR_KMS_RESPONSE_INVALID: %s', async (_, answer) => {
    const error = await thrown(clientOf({ encrypt: async () => answer }).encrypt(BYTES))
    expect(error).toMatchObject({ code: 'ERR_KMS_RESPONSE_INVALID', operation: 'encrypt' })
  })

  it.each([0, 1, 3])('are so too where a batch of 2 has %s results', async (count) => {
    const value = Array.from({ length: count }, () => ({ ok: true, value: BYTES }))
    const client = clientOf({ encryptMany: async () => ({ ok: true, value }) })
    const error = await thrown(client.encryptMany([{ plaintext: BYTES }, { plaintext: BYTES }]))
    expect(error.code).toBe('ERR_KMS_RESPONSE_INVALID')
  })

  it('keep code, retryable and facts of an error', async () => {
    const data = {
      code: 'ERR_KMS_THROTTLED',
      message: 'slow down',
      retryable: true,
      retryAfterMs: 500,
    }
    const error = await thrown(
      clientOf({ encrypt: async () => ({ ok: false, error: data }) }).encrypt(BYTES),
    )
    expect(error.toJSON()).toEqual({ name: 'KmsError', ...data })
  })
})

describe('a service that does not answer', () => {
  it('is ERR_KMS_TIMEOUT', async () => {
    const error = await thrown(clientOf({ encrypt: never }, 20).encrypt(BYTES))
    expect(error).toMatchObject({ code: 'ERR_KMS_TIMEOUT', retryable: true, operation: 'encrypt' })
  })

  it('ends with the signal of the caller', async () => {
    const abort = new AbortController()
    const call = clientOf({ encrypt: never }, 60_000).encrypt(BYTES, { signal: abort.signal })
    abort.abort(new Error('stopped'))
    await expect(call).rejects.toThrow('stopped')
  })

  it('is ERR_KMS_UNAVAILABLE where the connection is lost', async () => {
    const encrypt = (): Promise<never> => Promise.reject(new Error('Network connection lost.'))
    const error = await thrown(clientOf({ encrypt }).encrypt(BYTES))
    expect(error).toMatchObject({ code: 'ERR_KMS_UNAVAILABLE', retryable: true })
  })
})

function streamOf(...pieces: readonly (Uint8Array | Error)[]): ReadableStream<Uint8Array> {
  const left = [...pieces]
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = left.shift()
      if (piece instanceof Error) controller.error(piece)
      else if (piece === undefined) controller.close()
      else controller.enqueue(piece)
    },
  })
}
const json = (value: unknown): ReadableStream<Uint8Array> =>
  new Response(JSON.stringify(value)).body as ReadableStream<Uint8Array>

/** Reads what a service answers a stream with. */
async function read(answer: StreamAnswer, timeoutMs = 200): Promise<string> {
  const client = clientOf({ decryptStream: async () => ({ ok: true, value: answer }) }, timeoutMs)
  const { readable, writable } = client.decryptStream()
  const writer = writable.getWriter()
  writer.closed.catch(() => undefined)
  void writer.write(BYTES).catch(() => undefined)
  const reader = readable.getReader()
  const pieces: number[] = []
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return `done ${pieces.join()}`
      pieces.push(...value)
    }
  } catch (error) {
    return `${isKmsError(error) ? error.code : String(error)} ${pieces.join()}`
  }
}

describe('a stream of the service ends cleanly only if the service says so', () => {
  const OK = { ok: true, value: null }
  const FAILED = { ok: false, error: { code: 'ERR_DECRYPT_FAILED' } }

  it('ends after its last piece', async () => {
    expect(await read({ body: streamOf(BYTES), end: json(OK) })).toBe('done 1,2,3')
  })

  it.each([
    [
      'the body ends cleanly, and the service failed',
      streamOf(BYTES),
      json(FAILED),
      'ERR_DECRYPT_FAILED 1,2,3',
    ],
    [
      'the body breaks, and the service failed',
      streamOf(BYTES, new Error('disconnected prematurely')),
      json(FAILED),
      'ERR_DECRYPT_FAILED 1,2,3',
    ],
    [
      'the body breaks, and the service ended',
      streamOf(BYTES, new Error('disconnected prematurely')),
      json(OK),
      'ERR_KMS_UNAVAILABLE 1,2,3',
    ],
    [
      'the outcome is cut off',
      streamOf(BYTES),
      new Response('{"ok":tr').body,
      'ERR_KMS_UNAVAILABLE 1,2,3',
    ],
    ['the outcome is empty', streamOf(BYTES), new Response('').body, 'ERR_KMS_UNAVAILABLE 1,2,3'],
    [
      'the outcome is something else',
      streamOf(BYTES),
      json({ done: true }),
      'ERR_KMS_RESPONSE_INVALID 1,2,3',
    ],
    ['the outcome never comes', streamOf(BYTES), new ReadableStream(), 'ERR_KMS_TIMEOUT 1,2,3'],
  ])('fails where %s', async (_, body, end, expected) => {
    expect(await read({ body, end: end as ReadableStream<Uint8Array> })).toBe(expected)
  })

  it('calls no service before it is used, nor for options that are wrong', () => {
    let calls = 0
    const client = clientOf({ encryptStream: () => calls++ })
    client.encryptStream()
    expect(() => client.encryptStream({ contxt: {} } as object)).toThrow('unknown option: contxt')
    expect(calls).toBe(0)
  })

  it('is cancelled before its first use without a call', async () => {
    let calls = 0
    const { readable, writable } = clientOf({ encryptStream: () => calls++ }).encryptStream()
    await readable.cancel(new Error('not needed'))
    await expect(writable.getWriter().write(BYTES)).rejects.toThrow('not needed')
    expect(calls).toBe(0)
  })

  it('leaves no listener on the signal of the caller', async () => {
    const { signal } = new AbortController()
    let listeners = 0
    const counting = new Proxy(signal, {
      get(target, name) {
        if (name === 'addEventListener') listeners++
        if (name === 'removeEventListener') listeners--
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    const answer = { body: streamOf(BYTES), end: json(OK) }
    const client = clientOf({ decryptStream: async () => ({ ok: true, value: answer }) })
    const { readable } = client.decryptStream({ signal: counting })
    await new Response(readable).arrayBuffer()
    expect(listeners).toBe(0)
  })
})
