import { describe, expect, it } from 'vitest'
import {
  type CipherClient,
  type CipherService,
  createCipherClient,
} from '../../../adapters/workers/index.ts'
import { fromKmsResult, isKmsError, type KmsResult, toKmsResult } from '../../../src/index.ts'

// R39: what the client makes of a service whose answers have the wrong shape, and of a caller without types.

const BYTES = new Uint8Array([1, 2, 3])
const OK = { ok: true, value: null }

function clientOf(service: object): CipherClient {
  return createCipherClient(service as CipherService, { timeoutMs: 200 })
}

/** A client of a service that answers every call with this value. */
function answering(value: unknown): CipherClient {
  const answer = async (): Promise<unknown> => ({ ok: true, value })
  return clientOf(new Proxy({}, { get: () => answer }))
}

async function outcomeOf(work: () => unknown): Promise<unknown> {
  try {
    return { value: await work() }
  } catch (error) {
    return isKmsError(error) ? error.code : error
  }
}

const through = (transform: TransformStream<Uint8Array, Uint8Array>): Promise<ArrayBuffer> =>
  new Response(transform.readable).arrayBuffer()

const json = (value: unknown): ReadableStream<Uint8Array> =>
  new Response(JSON.stringify(value)).body as ReadableStream<Uint8Array>

const JUNK = [undefined, null, 5, true, {}, [], new Map(), new Uint16Array(1), new ArrayBuffer(1)]

describe('an answer whose value is not what the method returns', () => {
  const methods: Record<string, [call: (client: CipherClient) => unknown, more: unknown[]]> = {
    encrypt: [(client) => client.encrypt(BYTES), ['text']],
    decrypt: [(client) => client.decrypt(BYTES), ['text']],
    rewrap: [(client) => client.rewrap(BYTES), ['text']],
    encryptText: [(client) => client.encryptText('text'), [BYTES]],
    decryptText: [(client) => client.decryptText('text'), [BYTES]],
  }
  for (const [method, [call, more]] of Object.entries(methods)) {
    it(`is ERR_KMS_RESPONSE_INVALID of ${method}`, async () => {
      for (const value of [...JUNK, ...more])
        expect(await outcomeOf(() => call(answering(value)))).toBe('ERR_KMS_RESPONSE_INVALID')
    })
  }

  it('is ERR_KMS_RESPONSE_INVALID of inspect', async () => {
    for (const value of [undefined, null, 5, 'text', true, [], BYTES])
      expect(await outcomeOf(() => answering(value).inspect(BYTES))).toBe(
        'ERR_KMS_RESPONSE_INVALID',
      )
  })

  it('is ERR_KMS_RESPONSE_INVALID of a batch', async () => {
    const items = [{ plaintext: BYTES }, { plaintext: BYTES }]
    const lists = [undefined, null, 5, 'ab', {}, { length: 2 }, BYTES, [], [OK]]
    for (const value of lists)
      expect(await outcomeOf(() => answering(value).encryptMany(items))).toBe(
        'ERR_KMS_RESPONSE_INVALID',
      )
  })

  it('is ERR_KMS_RESPONSE_INVALID of one item of a batch', async () => {
    const wrong = [...JUNK, { ok: 'yes', value: BYTES }, { ok: true, value: 'text' }, { ok: true }]
    for (const one of wrong) {
      const client = answering([one, { ok: true, value: BYTES }])
      const [first, second] = await client.encryptMany([{ plaintext: BYTES }, { plaintext: BYTES }])
      expect(first).toMatchObject({ ok: false, error: { code: 'ERR_KMS_RESPONSE_INVALID' } })
      expect(second).toEqual({ ok: true, value: BYTES })
    }
  })

  it('is ERR_KMS_RESPONSE_INVALID of the start of a stream', async () => {
    const body = json('body')
    const starts = [...JUNK, 'text', { body }, { end: json(OK) }, { body: 'text', end: json(OK) }]
    for (const value of [...starts, { body, end: 'text' }])
      expect(await outcomeOf(() => through(answering(value).decryptStream()))).toBe(
        'ERR_KMS_RESPONSE_INVALID',
      )
  })

  it('breaks a stream whose piece it is', async () => {
    for (const piece of ['text', null, 5, new Uint16Array(1)]) {
      const body = new ReadableStream({
        start(to) {
          to.enqueue(piece)
          to.close()
        },
      })
      const client = answering({ body, end: json(OK) })
      expect(await outcomeOf(() => through(client.decryptStream()))).toBe('ERR_KMS_UNAVAILABLE')
    }
  })
})

describe('the outcome of a stream', () => {
  it('is read to its limit, not without end', async () => {
    let sent = 0
    let cancelled = false
    const end = new ReadableStream<Uint8Array>(
      {
        pull(to) {
          sent += 65_536
          to.enqueue(new Uint8Array(65_536).fill(32))
        },
        cancel() {
          cancelled = true
        },
      },
      { highWaterMark: 0 },
    )
    const client = answering({ body: new Response('').body ?? json(''), end })
    expect(await outcomeOf(() => through(client.decryptStream()))).toBe('ERR_KMS_UNAVAILABLE')
    expect(sent).toBeLessThan(1_048_576)
    expect(cancelled).toBe(true)
  })
})

describe('the error of a result', () => {
  const data = {
    code: 'ERR_KMS_THROTTLED',
    message: { secret: 1 },
    retryable: 'no',
    provider: ['x'],
    operation: 5,
    status: '500',
    requestId: {},
    retryAfterMs: '1',
  }
  const clean = {
    name: 'KmsError',
    code: 'ERR_KMS_THROTTLED',
    message: 'kms throttled',
    retryable: true,
  }

  it('has facts of their own types only', async () => {
    const encrypt = async (): Promise<unknown> => ({ ok: false, error: data })
    const error = await clientOf({ encrypt })
      .encrypt(BYTES)
      .catch((thrown: unknown) => thrown)
    expect(isKmsError(error) && error.toJSON()).toEqual(clean)
    const read = (): unknown => fromKmsResult({ ok: false, error: data } as unknown as KmsResult<1>)
    expect(await outcomeOf(read)).toBe('ERR_KMS_THROTTLED')
    expect(read).toThrow('kms throttled')
  })

  it('is none where JSON lost a value that is undefined', async () => {
    const sent = JSON.stringify(await toKmsResult(Promise.resolve()))
    expect(fromKmsResult(JSON.parse(sent) as KmsResult<unknown>)).toBeUndefined()
  })

  it('is ERR_KMS_RESPONSE_INVALID of fromKmsResult where it is no result', async () => {
    const results = [undefined, null, 5, 'ok', {}, { ok: 'yes', value: 1 }]
    for (const result of [...results, { ok: false }, { ok: false, error: null }])
      expect(await outcomeOf(() => fromKmsResult(result as KmsResult<1>))).toBe(
        'ERR_KMS_RESPONSE_INVALID',
      )
  })
})

describe('a caller without types', () => {
  const client = answering(BYTES)

  it('is refused where its options are not a plain object: they would bind nothing', async () => {
    class Options {
      get context(): object {
        return { tenant: 'a' }
      }
    }
    const inherited = Object.create({ context: { tenant: 'a' } }) as object
    const wrong = [new Map([['context', {}]]), new Options(), inherited, [], 'text', null]
    for (const options of wrong as object[]) {
      expect(await outcomeOf(() => client.encrypt(BYTES, options))).toBe('ERR_KMS_CONFIG')
      expect(await outcomeOf(() => client.encryptMany([], options))).toBe('ERR_KMS_CONFIG')
      expect(await outcomeOf(() => client.encryptStream(options))).toBe('ERR_KMS_CONFIG')
      expect(await outcomeOf(() => client.inspect(BYTES, options))).toBe('ERR_KMS_CONFIG')
    }
    const item = Object.assign(new Options(), { plaintext: BYTES })
    const [outcome] = await answering([{ ok: true, value: BYTES }]).encryptMany([item])
    expect(outcome).toMatchObject({ ok: false, error: { code: 'ERR_KMS_CONFIG' } })
  })

  it('is refused where its signal is a controller, before the service is asked', async () => {
    let asked = 0
    const asking = clientOf(new Proxy({}, { get: () => () => asked++ }))
    const options = { signal: new AbortController() } as unknown as { signal: AbortSignal }
    expect(await outcomeOf(() => asking.encrypt(BYTES, options))).toBeInstanceOf(TypeError)
    expect(await outcomeOf(() => asking.inspect(BYTES, options))).toBeInstanceOf(TypeError)
    const stream = outcomeOf(() => through(asking.decryptStream(options)))
    expect(await stream).toBeInstanceOf(TypeError)
    expect(asked).toBe(0)
  })

  it('gets a TypeError that names its argument', async () => {
    const message = (work: () => unknown): Promise<unknown> =>
      outcomeOf(work).then((error) => (error as Error).message)
    const never = undefined as never
    expect(await message(() => client.inspect(never))).toBe(
      'envelope must be a Uint8Array, got undefined',
    )
    expect(await message(() => client.encryptMany(never))).toBe('items must be an array')
    expect(await message(() => client.decryptMany({ length: 1 } as never))).toBe(
      'items must be an array',
    )
    const hole = new Array<never>(1)
    expect(await message(() => client.encryptMany(hole))).toBe(
      'items[0].plaintext must be a Uint8Array, got undefined',
    )
  })

  it('gets one outcome for a hole in a batch to decrypt, as the cipher gives it', async () => {
    const sent: unknown[] = []
    const decryptMany = async (items: unknown[]): Promise<unknown> => {
      sent.push(...items)
      return { ok: true, value: items.map(() => ({ ok: true, value: BYTES })) }
    }
    const outcomes = await clientOf({ decryptMany }).decryptMany([, { envelope: BYTES }] as never)
    expect(outcomes).toHaveLength(2)
    expect(sent).toHaveLength(2)
  })
})
