import { describe, expect, it } from 'vitest'
import { sqsBatch, type SqsRecord } from '../../../adapters/lambda/index.ts'
import { decodeUtf8 } from '../../../src/bytes/index.ts'
import { EncryptedEnvelope } from '../../../src/index.ts'
import { turn } from '../../support/fake-world.ts'
import { fail, hang } from '../../support/scripted-kms.ts'
import { deferred, setup } from './support.ts'

const ARN = 'arn:aws:sqs:eu-central-1:111122223333:orders'
const record = (messageId: string, body: string, eventSourceARN = ARN): SqsRecord => ({
  messageId,
  body,
  eventSourceARN,
  messageAttributes: {},
})

async function world() {
  const base = setup()
  const done: string[] = []
  const errors: [string, unknown][] = []
  const options = {
    ...base.options,
    context: () => ({ queue: 'orders' }),
    onError: (error: unknown, { messageId }: SqsRecord) => errors.push([messageId, error]),
  }
  const seal = (text: string, queue = 'orders') =>
    base.cipher.encryptText(text, { context: { queue } })
  const work = (plaintext: Uint8Array) => {
    const text = decodeUtf8(plaintext) ?? ''
    if (text.startsWith('bad')) throw new Error(text)
    done.push(text)
  }
  return { ...base, options, seal, work, done, errors, context: base.context(3_000) }
}

const failed = (...ids: string[]) => ({
  batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })),
})

describe('sqsBatch', () => {
  it('decrypts all records with one unwrap for each data key', async () => {
    const { cipher, kms, options, seal, work, done, context } = await world()
    const Records = [record('1', await seal('one')), record('2', await seal('two'))]
    cipher.clear()
    kms.calls.length = 0
    expect(await sqsBatch(work, options)({ Records }, context)).toEqual({ batchItemFailures: [] })
    expect(done).toEqual(['one', 'two'])
    expect(kms.calls).toEqual(['unwrapDataKey'])
  })

  it('names the records of a standard queue that failed, and does the others', async () => {
    const { options, seal, work, done, errors, context } = await world()
    const Records = [
      record('1', await seal('one')),
      record('2', await seal('bad two')),
      record('3', 'not an envelope'),
      record('4', await seal('of another queue', 'payments')),
      record('5', await seal('five')),
    ]
    expect(await sqsBatch(work, options)({ Records }, context)).toEqual(failed('2', '3', '4'))
    expect(done).toEqual(['one', 'five'])
    expect(errors).toMatchObject([
      ['2', { message: 'bad two' }],
      ['3', { code: 'ERR_WIRE_MALFORMED' }],
      ['4', { code: 'ERR_DECRYPT_FAILED' }],
    ])
  })

  it('ends a batch of a FIFO queue at the first failure', async () => {
    const { options, seal, work, done, errors, context } = await world()
    const fifo = `${ARN}.fifo`
    const Records = [
      record('1', await seal('one'), fifo),
      record('2', await seal('bad two'), fifo),
      record('3', await seal('three'), fifo),
      record('4', 'not an envelope', fifo),
    ]
    const handler = sqsBatch(work, { ...options, concurrency: 10 })
    expect(await handler({ Records }, context)).toEqual(failed('2', '3', '4'))
    expect(done).toEqual(['one'])
    expect(errors.map(([id]) => id)).toEqual(['2'])
  })

  it('names all records when the KMS is down, and rejects nothing', async () => {
    const { cipher, kms, options, seal, work, errors, context } = await world()
    const Records = [record('1', await seal('one')), record('2', await seal('two'))]
    cipher.clear()
    kms.always = fail('ERR_KMS_UNAVAILABLE')
    expect(await sqsBatch(work, options)({ Records }, context)).toEqual(failed('1', '2'))
    expect(errors).toMatchObject([
      ['1', { code: 'ERR_KMS_UNAVAILABLE' }],
      ['2', { code: 'ERR_KMS_UNAVAILABLE' }],
    ])
  })

  it('fails the one record whose context or aad cannot be told', async () => {
    const { options, seal, work, done, context } = await world()
    const Records = [record('1', await seal('one')), record('2', await seal('two'))]
    const aad = ({ messageId }: SqsRecord): Record<string, string> => {
      if (messageId === '1') throw new TypeError('no such tenant')
      return {}
    }
    expect(await sqsBatch(work, { ...options, aad })({ Records }, context)).toEqual(failed('1'))
    expect(done).toEqual(['two'])
  })

  it('fails the one record whose context is a promise, also one that rejects', async () => {
    const { options, seal, work, done, context } = await world()
    const unhandled: unknown[] = []
    const note = (error: unknown) => unhandled.push(error)
    process.on('unhandledRejection', note)
    const handler = sqsBatch(work, {
      ...options,
      context: ({ messageId }) =>
        messageId === 'b'
          ? (Promise.reject(new Error('asked too late')) as never)
          : { queue: 'orders' },
    })
    const records = [record('a', await seal('one')), record('b', await seal('two'))]
    expect(await handler({ Records: records }, context)).toEqual(failed('b'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    process.off('unhandledRejection', note)
    expect([done, unhandled]).toEqual([['one'], []])
  })

  it('opens a record only under its own aad', async () => {
    const { cipher, options, work, done, context } = await world()
    const to = (id: string) =>
      cipher.encryptText(id, { context: { queue: 'orders' }, aad: { order: id } })
    const Records = [record('1', await to('1')), record('2', await to('1'))]
    const aad = ({ messageId }: SqsRecord) => ({ order: messageId })
    expect(await sqsBatch(work, { ...options, aad })({ Records }, context)).toEqual(failed('2'))
    expect(done).toEqual(['1'])
  })

  it('takes the envelope from a message attribute, as String or Binary', async () => {
    const { options, seal, work, done, context } = await world()
    const bytes = EncryptedEnvelope.parse(await seal('two'))
    const text = await seal('one')
    const binaryValue = Buffer.from((await seal('two')).slice(4), 'base64url').toString('base64')
    expect(bytes.kind).toBe('record')
    const Records: SqsRecord[] = [
      { ...record('1', 'x'), messageAttributes: { card: { stringValue: text } } },
      { ...record('2', 'x'), messageAttributes: { card: { binaryValue } } },
      { ...record('3', await seal('body')), messageAttributes: { other: { stringValue: text } } },
      { ...record('4', 'x'), messageAttributes: { card: { binaryValue: '%' } } },
    ]
    const handler = sqsBatch(work, { ...options, attribute: 'card' })
    expect(await handler({ Records }, context)).toEqual(failed('3', '4'))
    expect(done).toEqual(['one', 'two'])
  })

  it('works on as many records of a standard queue at once as it may', async () => {
    const { options, seal, context } = await world()
    const Records = await Promise.all(
      [...Array(9).keys()].map(async (at) => record(String(at), await seal('x'))),
    )
    let [now, most] = [0, 0]
    const work = async () => {
      most = Math.max(most, ++now)
      await turn()
      now -= 1
    }
    await sqsBatch(work, options)({ Records }, context)
    expect(most).toBe(1)
    await sqsBatch(work, { ...options, concurrency: 4 })({ Records }, context)
    expect(most).toBe(4)
  })

  it('begins no record after the signal aborts, and names those that were not begun', async () => {
    const { world: clock, options, seal, context } = await world()
    const begun: string[] = []
    const gate = deferred()
    const Records = [record('1', await seal('1')), record('2', await seal('2'))]
    const work = async (_plaintext: Uint8Array, { messageId }: SqsRecord) => {
      begun.push(messageId)
      await gate.promise
    }
    const call = sqsBatch(work, options)({ Records }, context)
    await clock.advance(2_500)
    gate.resolve()
    expect(await call).toEqual(failed('2'))
    expect(begun).toEqual(['1'])
  })

  it('rejects as a whole when the time ends while it decrypts', async () => {
    const { world: clock, cipher, kms, options, seal, work, context } = await world()
    const Records = [record('1', await seal('one'))]
    cipher.clear()
    kms.always = hang
    const call = await clock.settled(sqsBatch(work, options)({ Records }, context))
    expect(call).toMatchObject({ status: 'rejected', reason: { code: 'ERR_KMS_TIMEOUT' } })
  })

  it('hands what create returned, signal, defer and the context to each call', async () => {
    const { options, cipher, seal, context } = await world()
    const seen: unknown[] = []
    const create = () => ({ cipher, table: 'orders' })
    const handler = sqsBatch((_plaintext, _record, kms) => seen.push(kms), { ...options, create })
    await handler({ Records: [record('1', await seal('one'))] }, context)
    expect(seen).toMatchObject([{ cipher, table: 'orders', context }])
    expect(seen[0]).toHaveProperty('signal')
    expect(seen[0]).toHaveProperty('defer')
  })

  it('refuses events of other kinds and wrong options', async () => {
    const { options, work, context } = await world()
    const handler = sqsBatch(work, options)
    await expect(handler({} as never, context)).rejects.toThrow('has no Records')
    const alien = { Records: [{ body: 'x', eventSourceARN: ARN } as never] }
    await expect(handler(alien, context)).rejects.toThrow('has no identifier')
    const unnamed = { Records: [record('', 'x')] }
    await expect(handler(unnamed, context)).rejects.toThrow('has no identifier')
    const make = (changed: object) => () => sqsBatch(work, { ...options, ...changed })
    expect(make({ onError: undefined })).toThrow('onError must be a function')
    expect(make({ context: undefined })).toThrow('context must be a function')
    expect(make({ aad: {} })).toThrow('aad must be a function')
    expect(make({ concurrency: 0 })).toThrow('concurrency must be an integer from 1 to 1000')
    expect(make({ attribute: '' })).toThrow('attribute must be the name of an attribute')
    expect(make({ fifo: true })).toThrow('unknown option: fifo')
  })
})
