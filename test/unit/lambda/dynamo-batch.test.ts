import { describe, expect, it } from 'vitest'
import { dynamoBatch, type DynamoRecord } from '../../../adapters/lambda/index.ts'
import { decodeUtf8 } from '../../../src/bytes/index.ts'
import { deferred, setup } from './support.ts'

async function world() {
  const base = setup()
  const done: (string | undefined)[] = []
  const errors: unknown[] = []
  const options = {
    ...base.options,
    attribute: 'card',
    context: () => ({ table: 'orders' }),
    onError: (error: unknown) => errors.push(error),
  }
  const seal = (text: string, table = 'orders') =>
    base.cipher.encryptText(text, { context: { table } })
  const row = async (sequence: number, text: string): Promise<DynamoRecord> => ({
    eventName: 'INSERT',
    dynamodb: { SequenceNumber: `${sequence}`, NewImage: { card: { S: await seal(text) } } },
  })
  const work = (plaintext: Uint8Array | undefined) => {
    const text = plaintext && decodeUtf8(plaintext)
    if (text?.startsWith('bad') === true) throw new Error(text)
    done.push(text)
  }
  return { ...base, options, seal, row, work, done, errors, context: base.context(3_000) }
}

const failed = (itemIdentifier: string) => ({ batchItemFailures: [{ itemIdentifier }] })

describe('dynamoBatch', () => {
  it('decrypts all records with one unwrap for each data key, in order', async () => {
    const { cipher, kms, options, row, work, done, context } = await world()
    const Records = [await row(1, 'one'), await row(2, 'two')]
    cipher.clear()
    kms.calls.length = 0
    const answer = await dynamoBatch(work, options)({ Records }, context)
    expect(answer).toEqual({ batchItemFailures: [] })
    expect(done).toEqual(['one', 'two'])
    expect(kms.calls).toEqual(['unwrapDataKey'])
  })

  it('ends at the first failure and names its sequence number alone', async () => {
    const { options, row, work, done, errors, context } = await world()
    const Records = [await row(1, 'one'), await row(2, 'bad two'), await row(3, 'bad three')]
    expect(await dynamoBatch(work, options)({ Records }, context)).toEqual(failed('2'))
    expect(done).toEqual(['one'])
    expect(errors).toMatchObject([{ message: 'bad two' }])
  })

  it('ends at a record that does not open', async () => {
    const { options, row, seal, work, done, errors, context } = await world()
    const alien = await seal('of another table', 'payments')
    const Records: DynamoRecord[] = [
      await row(1, 'one'),
      { dynamodb: { SequenceNumber: '2', NewImage: { card: { S: alien } } } },
      await row(3, 'three'),
    ]
    expect(await dynamoBatch(work, options)({ Records }, context)).toEqual(failed('2'))
    expect(done).toEqual(['one'])
    expect(errors).toMatchObject([{ code: 'ERR_DECRYPT_FAILED' }])
  })

  it('reads B as base64, as Lambda has it, and as bytes, as the SDK has it', async () => {
    const { options, seal, work, done, context } = await world()
    const bytes = Buffer.from((await seal('one')).slice(4), 'base64url')
    const images = [{ B: bytes.toString('base64') }, { B: new Uint8Array(bytes) }]
    const Records = images.map((card, at) => ({
      dynamodb: { SequenceNumber: `${at}`, NewImage: { card } },
    }))
    const answer = await dynamoBatch(work, options)({ Records }, context)
    expect(answer).toEqual({ batchItemFailures: [] })
    expect(done).toEqual(['one', 'one'])
  })

  it('calls with undefined where image or attribute is missing or NULL, and refuses other types', async () => {
    const { options, work, done, errors, context } = await world()
    const Records: DynamoRecord[] = [
      { eventName: 'REMOVE', dynamodb: { SequenceNumber: '1' } },
      { dynamodb: { SequenceNumber: '2', NewImage: { toString: { S: 'x' } } } },
      { dynamodb: { SequenceNumber: '3', NewImage: { card: { NULL: true } } } },
      { dynamodb: { SequenceNumber: '4', NewImage: { card: { N: '4111' } } } },
    ]
    expect(await dynamoBatch(work, options)({ Records }, context)).toEqual(failed('4'))
    expect(done).toEqual([undefined, undefined, undefined])
    expect(errors).toMatchObject([{ code: 'ERR_WIRE_MALFORMED' }])
    const inherited = dynamoBatch(work, { ...options, attribute: 'constructor' })
    const plain = { Records: [{ dynamodb: { SequenceNumber: '1', NewImage: {} } }] }
    expect(await inherited(plain, context)).toEqual({ batchItemFailures: [] })
  })

  it('reads the old image if asked', async () => {
    const { options, seal, work, done, context } = await world()
    const images = { NewImage: { card: { S: 'x' } }, OldImage: { card: { S: await seal('old') } } }
    const Records = [{ dynamodb: { SequenceNumber: '1', ...images } }]
    await dynamoBatch(work, { ...options, image: 'OldImage' })({ Records }, context)
    expect(done).toEqual(['old'])
  })

  it('names the first record that was not begun when the signal aborts', async () => {
    const { world: clock, options, row, context } = await world()
    const gate = deferred()
    const Records = [await row(1, '1'), await row(2, '2'), await row(3, '3')]
    const call = dynamoBatch(() => gate.promise, options)({ Records }, context)
    await clock.advance(2_500)
    gate.resolve()
    expect(await call).toEqual(failed('2'))
  })

  it('refuses events of other kinds and wrong options', async () => {
    const { options, work, context } = await world()
    const handler = dynamoBatch(work, options)
    const alien = { Records: [{ dynamodb: {} }] }
    await expect(handler(alien, context)).rejects.toThrow('has no identifier')
    const make = (changed: object) => () => dynamoBatch(work, { ...options, ...changed })
    expect(make({ attribute: undefined })).toThrow('attribute must be the name of an attribute')
    expect(make({ image: 'new' })).toThrow('image must be NewImage or OldImage')
    expect(make({ onError: undefined })).toThrow('onError must be a function')
    expect(make({ concurrency: 2 })).toThrow('unknown option: concurrency')
  })
})
