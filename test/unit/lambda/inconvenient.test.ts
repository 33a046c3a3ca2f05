// Answers, stacks, events and hooks of another form than the types say: nothing is lost in silence.
import { describe, expect, it } from 'vitest'
import {
  decryptEnv,
  dynamoBatch,
  encryptEnvValue,
  kmsMiddleware,
  snapshotPoint,
  sqsBatch,
  type SqsRecord,
  withKms,
  withKmsStream,
} from '../../../adapters/lambda/index.ts'
import type { EncryptionContext } from '../../../src/index.ts'
import { setup, V2 } from './support.ts'

const CONFIG = expect.objectContaining({ code: 'ERR_KMS_CONFIG' }) as unknown

/** The answer of a streaming handler outside Lambda. */
async function answered(answer: unknown) {
  const { options, context } = setup()
  const errors: unknown[] = []
  const handler = withKmsStream(() => answer as never, {
    ...options,
    onError: (error) => errors.push(error),
  })
  return { answer: await handler(V2, context(3_000)), errors }
}

async function* pieces(...all: unknown[]) {
  await Promise.resolve()
  yield* all
}

describe('withKmsStream', () => {
  it.each([
    ['an ArrayBuffer', new ArrayBuffer(4)],
    ['a Uint16Array', new Uint16Array([300])],
    ['a number', 7],
    ['an object', { text: 'lost' }],
    ['null', null],
  ])('fails on a piece that is %s instead of leaving it out', async (_, piece) => {
    const { answer, errors } = await answered({ body: pieces('kept', piece, 'kept') })
    expect(answer.statusCode).toBe(500)
    expect(errors).toEqual([CONFIG])
  })

  it.each([
    ['a number', 5],
    ['a list', ['text']],
    ['an ArrayBuffer', new ArrayBuffer(4)],
    ['a Blob', new Blob(['text'])],
  ])('says that a body must not be %s', async (_, body) => {
    const { answer, errors } = await answered({ body })
    expect(answer.statusCode).toBe(500)
    expect(errors).toEqual([CONFIG])
  })

  it('takes the body null of a fetched answer as none', async () => {
    const { answer } = await answered({ statusCode: 304, body: new Response(null).body })
    expect(answer).toMatchObject({ statusCode: 304, body: '' })
  })

  it.each([
    ['a Response, whose status would become 200', new Response('not yours', { status: 404 })],
    ['nothing', undefined],
    ['null', null],
  ])('refuses %s as the answer', async (_, given) => {
    const { answer, errors } = await answered(given)
    expect(answer.statusCode).toBe(500)
    expect(errors).toEqual([CONFIG])
  })
})

describe('create', () => {
  it('must not return an instance of a class, whose members no handler would get', async () => {
    const { cipher, options, context } = setup()
    class Stack {
      get cipher() {
        return cipher
      }
    }
    const inherited = Object.create({ cipher }) as Stack
    for (const stack of [new Stack(), inherited]) {
      const handler = withKms((_event: unknown, _context, kms) => Object.keys(kms), {
        ...options,
        create: () => stack,
      })
      await expect(handler({}, context(3_000))).rejects.toEqual(CONFIG)
    }
  })

  it.each(['signal', 'defer'])(
    'must not return %s, which the handler would not get',
    async (name) => {
      const { cipher, options, context } = setup()
      const create = () => ({ cipher, [name]: () => 'mine' })
      const handler = withKms(() => 1, { ...options, create })
      await expect(handler({}, context(3_000))).rejects.toThrow(name)
    },
  )

  it('must not return context for batches, and may for other handlers', async () => {
    const { cipher, options, context } = setup()
    const create = () => ({ cipher, context: { app: 'orders' } })
    const one = { ...options, create }
    const handler = withKms((_event: unknown, _context, kms) => kms.context.app, one)
    expect(await handler({}, context(3_000))).toBe('orders')
    const batch = sqsBatch(() => 1, { ...one, context: () => ({}), onError: () => undefined })
    await expect(batch({ Records: [] }, context(3_000))).rejects.toThrow('context')
  })
})

async function batches() {
  const base = setup()
  const body = await base.cipher.encryptText('text')
  const errors: unknown[] = []
  const options = {
    ...base.options,
    context: (): EncryptionContext => ({}),
    onError: (error: unknown) => errors.push(error),
  }
  const record = { messageId: '1', body, eventSourceARN: 'arn:aws:sqs:eu-central-1:1:orders' }
  return { ...base, options, record, errors, context: base.context(3_000) }
}

const FAILED = { batchItemFailures: [{ itemIdentifier: '1' }] }

describe('kmsMiddleware', () => {
  it.each([null, undefined, {}])('says that %s is not a context of Lambda', async (context) => {
    const { options } = setup()
    const request = { event: V2, context: context as never, response: undefined, error: undefined }
    await expect(kmsMiddleware(options).before(request)).rejects.toThrow('getRemainingTimeInMillis')
  })
})

describe('batches', () => {
  it('keeps a failure although the same record succeeds at another place', async () => {
    const { options, record, context } = await batches()
    let calls = 0
    const work = () => {
      if (calls++ === 0) throw new Error('once')
    }
    const answer = await sqsBatch(work, options)({ Records: [record, record] }, context)
    expect(answer).toEqual(FAILED)
  })

  it.each(['context', 'aad'])('fails a record for which %s answers undefined', async (name) => {
    const { options, record, errors, context } = await batches()
    const given = { ...options, [name]: () => undefined }
    const answer = await sqsBatch(() => 1, given)({ Records: [record] }, context)
    expect(answer).toEqual(FAILED)
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_CONTEXT_INVALID' })])
  })

  it('takes null of an event as missing', async () => {
    const { options, record, errors, context } = await batches()
    const bare = { ...record, messageAttributes: null } as unknown as SqsRecord
    const attribute = 'card'
    const answer = await sqsBatch(() => 1, { ...options, attribute })({ Records: [bare] }, context)
    expect(answer).toEqual(FAILED)
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_WIRE_MALFORMED' })])
    const seen: unknown[] = []
    const work = (plaintext: unknown) => seen.push(plaintext)
    const Records = [{ dynamodb: { SequenceNumber: '1', NewImage: null as never } }]
    await dynamoBatch(work, { ...options, attribute })({ Records }, context)
    expect(seen).toEqual([undefined])
  })

  it.each([
    ['a record that is null', null, 'identifier'],
    ['a record without a queue', { messageId: '1', body: 'ek1.' }, 'eventSourceARN'],
  ])('says what is wrong with %s', async (_, record, said) => {
    const { options, context } = await batches()
    const work = sqsBatch(() => 1, options)({ Records: [record as never] }, context)
    await expect(work).rejects.toThrow(said)
  })
})

describe('encryptEnvValue', () => {
  const context = { app: 'orders' }

  it('refuses options whose context a copy would lose', async () => {
    const { cipher } = setup()
    const options = Object.create({ context }) as { context: EncryptionContext }
    await expect(encryptEnvValue(cipher, 'DB_URL', 'text', options)).rejects.toEqual(CONFIG)
  })

  it('refuses an aad of the caller, which it would replace', async () => {
    const { cipher } = setup()
    const options = { context, aad: { stage: 'prod' } }
    await expect(encryptEnvValue(cipher, 'DB_URL', 'text', options)).rejects.toThrow('aad')
  })

  it('refuses an empty name, and encrypts without options', async () => {
    const { cipher } = setup()
    await expect(encryptEnvValue(cipher, '', 'text')).rejects.toThrow('name')
    const env = { DB_URL: await encryptEnvValue(cipher, 'DB_URL', 'text') }
    expect(await decryptEnv(cipher, env)).toEqual({ DB_URL: 'text' })
  })
})

describe('snapshotPoint', () => {
  const env = {
    AWS_LAMBDA_INITIALIZATION_TYPE: 'snap-start',
    AWS_LAMBDA_RUNTIME_API: '127.0.0.1:1', // nobody listens
  }

  it('takes no snapshot where a clear rejects', async () => {
    const clear = [{ clear: () => Promise.reject(new Error('not cleared')) }]
    await expect(snapshotPoint({ clear, env })).rejects.toThrow('not cleared')
  })

  it('waits for a clear that needs time', async () => {
    const { cipher } = setup()
    let isCleared = false
    const slow = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      isCleared = true
    }
    await expect(snapshotPoint({ clear: [{ clear: slow }, cipher], env })).rejects.toThrow()
    expect(isCleared).toBe(true)
  })

  it.each([
    ['no environment', null],
    ['a port above 65535', { ...env, AWS_LAMBDA_RUNTIME_API: '127.0.0.1:99999' }],
  ])('refuses %s', async (_, given) => {
    const { cipher } = setup()
    const work = snapshotPoint({ clear: [cipher], env: given as never })
    await expect(work).rejects.toEqual(CONFIG)
  })
})
