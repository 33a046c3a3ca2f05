/** The example's handlers, with real items, messages and stream records of moto. */
import assert from 'node:assert/strict'
import { EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import { policyOf } from './aws.mjs'
import { sqsEvent, streamEvent, urlEvent } from './events.mjs'
import { withFunction } from './function-process.mjs'
import { parseStream } from './runtime.mjs'

const card = '4111111111111111'

/** A user with the policies that the template gives this function. */
const userOf = async ({ aws, template }, fn) =>
  aws.userWith(`${fn}-${crypto.randomUUID().slice(0, 8)}`, policyOf(template.statementsOf(fn)))

const itemOf = async ({ aws }, id) => {
  const input = { TableName: 'cards', Key: { id: { S: id } } }
  return (await aws.call('dynamodb', 'GetItem', input)).Item
}

async function checkUrl(world, place) {
  await withFunction(place, async (fn) => {
    const put = await fn.invoke(urlEvent('PUT', '/cards/a', card))
    assert.equal(put.statusCode, 204)
    const got = await fn.invoke(urlEvent('GET', '/cards/a'))
    assert.deepEqual([got.statusCode, got.body], [200, card])
    assert.equal((await fn.invoke(urlEvent('GET', '/cards/none'))).statusCode, 404)
  })
  const { card: stored } = await itemOf(world, 'a')
  const bytes = Buffer.from(stored.B, 'base64')
  assert.equal(bytes.includes(card), false)
  const parsed = EncryptedEnvelope.parse(new Uint8Array(bytes))
  assert.equal(parsed.wraps[0]?.kekId, world.env.KMS_KEY_ARN)
  // Another environment, whose cache is empty.
  await withFunction(place, async (fn) => {
    assert.equal((await fn.invoke(urlEvent('GET', '/cards/a'))).body, card)
    assert.equal((await fn.invoke(urlEvent('POST', '/cards/a/rewrap'))).statusCode, 204)
    assert.equal((await fn.invoke(urlEvent('GET', '/cards/a'))).body, card)
    const { card: rewrapped } = await itemOf(world, 'a')
    assert.notEqual(rewrapped.B, stored.B)
    // An envelope that was copied to another item.
    const Item = { id: { S: 'b' }, card: rewrapped }
    await world.aws.call('dynamodb', 'PutItem', { TableName: 'cards', Item })
    const moved = await fn.invoke(urlEvent('GET', '/cards/b'))
    assert.equal(moved.statusCode, 422)
    assert.equal(JSON.parse(moved.body).code, 'ERR_DECRYPT_FAILED')
    await world.aws.call('dynamodb', 'DeleteItem', { TableName: 'cards', Key: { id: { S: 'b' } } })
  })
}

/** A producer somewhere else, with credentials of its own. */
function producer({ env, producerCredentials }) {
  const kms = createAwsKms({
    keyId: env.KMS_KEY_ARN,
    endpoint: env.AWS_ENDPOINT_URL,
    allowHttpLoopback: true,
    credentials: {
      accessKeyId: producerCredentials.AWS_ACCESS_KEY_ID,
      secretAccessKey: producerCredentials.AWS_SECRET_ACCESS_KEY,
    },
  })
  const cipher = new EnvelopeCipher({ kms })
  const options = { context: { app: 'cards' }, aad: { queue: 'orders' } }
  return (order) => cipher.encryptText(JSON.stringify(order), options)
}

async function checkQueue(world, place) {
  const { aws, queueUrl: QueueUrl, queueArn } = world
  const seal = producer(world)
  const bodies = [
    await seal({ id: 'q1', card }),
    await seal({ id: 'q2', card: 'no card' }),
    'not an envelope',
    await seal({ id: 'q4', card }),
  ]
  for (const MessageBody of bodies) await aws.call('sqs', 'SendMessage', { QueueUrl, MessageBody })
  const input = { QueueUrl, MaxNumberOfMessages: 10, AttributeNames: ['All'] }
  const { Messages } = await aws.call('sqs', 'ReceiveMessage', input)
  assert.equal(Messages.length, 4)
  const answer = await withFunction(place, (fn) => fn.invoke(sqsEvent(Messages, queueArn)))
  const wrong = Messages.filter(({ Body }) => [bodies[1], bodies[2]].includes(Body))
  const ids = (list) => list.toSorted()
  assert.deepEqual(Object.keys(answer), ['batchItemFailures'])
  assert.deepEqual(
    ids(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)),
    ids(wrong.map(({ MessageId }) => MessageId)),
  )
  const stored = await Promise.all(['q1', 'q2', 'q4'].map((id) => itemOf(world, id)))
  assert.deepEqual(
    stored.map((item) => item !== undefined),
    [true, false, true],
  )
}

async function recordsOf({ aws, streamArn: StreamArn }) {
  const { StreamDescription } = await aws.call('streams', 'DescribeStream', { StreamArn })
  const [{ ShardId }] = StreamDescription.Shards
  const shard = { StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }
  const { ShardIterator } = await aws.call('streams', 'GetShardIterator', shard)
  return (await aws.call('streams', 'GetRecords', { ShardIterator })).Records
}

async function checkStream(world, place) {
  const records = await recordsOf(world)
  assert.ok(records.length >= 5, `${records.length} records`)
  const cut = records.findIndex(({ dynamodb }) => dynamodb.Keys.id.S === 'b')
  assert.ok(cut > 0)
  await withFunction(place, async (fn) => {
    const whole = await fn.invoke(streamEvent(records.slice(0, cut), world.streamArn))
    assert.deepEqual(whole, { batchItemFailures: [] })
    assert.match(fn.log(), /"event":"INSERT","id":"a","last4":"1111"/)
    // The record of the copied envelope: nothing after it is begun.
    const answer = await fn.invoke(streamEvent(records, world.streamArn))
    const itemIdentifier = records[cut].dynamodb.SequenceNumber
    assert.deepEqual(answer, { batchItemFailures: [{ itemIdentifier }] })
    assert.equal(fn.log().includes('"id":"q1"'), false)
    const rest = await fn.invoke(streamEvent(records.slice(cut + 1), world.streamArn))
    assert.deepEqual(rest, { batchItemFailures: [] })
    assert.match(fn.log(), /"event":"INSERT","id":"q1","last4":"1111"/)
    assert.equal(fn.log().includes(card), false)
  })
}

async function checkExport(place) {
  await withFunction(place, async (fn) => {
    const { statusCode, headers, body } = parseStream(await fn.ask(urlEvent('GET', '/')))
    assert.deepEqual([statusCode, headers['content-type']], [200, 'application/x-ndjson'])
    const lines = body
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const ids = lines.map(({ id }) => id).toSorted()
    assert.deepEqual(ids, ['a', 'q1', 'q4'])
    assert.ok(lines.every((line) => line.card === card))
  })
}

async function checkMiddy(place) {
  await withFunction(place, async (fn) => {
    assert.equal((await fn.invoke(urlEvent('GET', '/cards/a'))).body, card)
    const otherKey = (last) => (last === '0' ? '1' : '0')
    const wrong = { ...place.env, KMS_KEY_ARN: place.env.KMS_KEY_ARN.replace(/.$/, otherKey) }
    await withFunction({ ...place, env: wrong }, async (other) => {
      const answer = await other.invoke(urlEvent('GET', '/cards/a'))
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      assert.equal(JSON.parse(answer.body).code, 'ERR_ENVELOPE_UNKNOWN_KEY')
    })
  })
}

export async function checkExample(check, world) {
  const placeOf = async (fn) => {
    const { Handler } = world.template.handlers.find((one) => one.name === fn)
    const env = { ...world.env, ...(await userOf(world, fn)) }
    return { ric: world.ric, root: world.root, handler: Handler, env }
  }
  const policy = policyOf([{ Effect: 'Allow', Action: 'kms:GenerateDataKey' }])
  const whole = { ...world, producerCredentials: await world.aws.userWith('producer', policy) }
  await check('a function URL encrypts, restarts, decrypts and rewraps', async () =>
    checkUrl(whole, await placeOf('Http')),
  )
  await check('a queue: failures alone come back', async () =>
    checkQueue(whole, await placeOf('Queue')),
  )
  await check('a stream of DynamoDB: ends at the first failure', async () =>
    checkStream(whole, await placeOf('Stream')),
  )
  await check('a streamed answer decrypts the table', async () =>
    checkExport(await placeOf('Export')),
  )
  await check('middy 7 itself runs the middleware', async () => {
    await checkMiddy({ ...(await placeOf('Http')), handler: 'middy.handler' })
  })
}
