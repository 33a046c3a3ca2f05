/** examples/rotation-lambda in moto: two keys, a table, its queue in order, and the event source mapping of Lambda. */
import { createAwsKms } from '../../../src/providers/aws-kms/index.ts'
import { EncryptedEnvelope, EnvelopeCipher } from '../../../src/index.ts'
import { policyOf, readTemplate } from './aws.mjs'
import { buildExample } from './build-example.mjs'
import { sqsEvent } from './events.mjs'

export const CARDS = 100
const PER_DATA_KEY = 5
const TABLE = 'rotation-cards'
const QUEUE = 'rotation-steps.fifo'
const context = { app: 'cards' }
export const textOf = (at) => `4111 ${at}`
export const idOf = (at) => `card-${String(at).padStart(4, '0')}`

/** @typedef {Awaited<ReturnType<typeof openRotation>>} Rotation */

export async function openRotation({ aws, ric }) {
  const { dist } = buildExample('rotation-lambda')
  const keyOf = async () => (await aws.call('kms', 'CreateKey', {})).KeyMetadata.Arn
  const [oldArn, newArn] = [await keyOf(), await keyOf()]
  const { resources, statementsOf, handlers } = readTemplate({}, 'rotation-lambda')
  const { FifoQueue } = resources.Steps.Properties
  await aws.call('dynamodb', 'CreateTable', {
    TableName: TABLE,
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    BillingMode: 'PAY_PER_REQUEST',
  })
  const { QueueUrl } = await aws.call('sqs', 'CreateQueue', {
    QueueName: QUEUE,
    Attributes: { FifoQueue: String(FifoQueue), VisibilityTimeout: '2' },
  })
  const env = {
    AWS_ENDPOINT_URL: aws.endpoint,
    KMS_KEY_ARN: newArn,
    OLD_KMS_KEY_ARN: oldArn,
    TABLE_NAME: TABLE,
    QUEUE_URL: QueueUrl,
    SEGMENTS: '2',
    RECORDS_PER_STEP: '10',
  }
  const user = await aws.userWith('rotation-reader', policyOf([{ Effect: 'Allow', Action: '*' }]))
  /** A cipher under one of the keys. */
  const cipherOf = (keyId) =>
    new EnvelopeCipher({
      kms: createAwsKms({
        ...{ keyId, endpoint: aws.endpoint, allowHttpLoopback: true },
        credentials: {
          accessKeyId: user.AWS_ACCESS_KEY_ID,
          secretAccessKey: user.AWS_SECRET_ACCESS_KEY,
        },
      }),
      maxMessages: PER_DATA_KEY,
    })

  return {
    ...{ aws, env, oldArn, newArn, cipherOf, context, statementsOf },
    /** Seeds cards under the old key, several under each data key. */
    async seed() {
      const cipher = cipherOf(oldArn)
      for (let at = 0; at < CARDS; at++) {
        const sealed = await cipher.encrypt(new TextEncoder().encode(textOf(at)), { context })
        const B = Buffer.from(sealed).toString('base64')
        const Item = { id: { S: idOf(at) }, card: { B } }
        await aws.call('dynamodb', 'PutItem', { TableName: TABLE, Item })
      }
    },
    /** Returns all envelopes by their ids. @returns {Promise<Map<string, Uint8Array<ArrayBuffer>>>} */
    async stored() {
      const { Items } = await aws.call('dynamodb', 'Scan', { TableName: TABLE })
      return new Map(
        Items.map(({ id, card }) => [id.S, new Uint8Array(Buffer.from(card.B, 'base64'))]),
      )
    },
    /** Counts envelopes by the ARNs of their keys. */
    keysOf(envelopes) {
      const counts = {}
      for (const one of envelopes) {
        const name = EncryptedEnvelope.parse(one)
          .wraps.map(({ kekId }) => kekId)
          .join('+')
        counts[name] = (counts[name] ?? 0) + 1
      }
      return counts
    },
    /** Returns the options of `withFunction` for a function with the policy of these statements. */
    async placeOf(name, label, statements = statementsOf(name)) {
      const { Handler } = handlers.find((one) => one.name === name)
      const credentials = await aws.userWith(label, policyOf(statements))
      return { ric, root: dist, handler: Handler, env: { ...env, ...credentials } }
    },
    /** Returns messages that are visible, one of each group. */
    async receive() {
      const input = { QueueUrl, MaxNumberOfMessages: 5, AttributeNames: ['All'] }
      return (await aws.call('sqs', 'ReceiveMessage', input)).Messages ?? []
    },
    async delete({ ReceiptHandle }) {
      await aws.call('sqs', 'DeleteMessage', { QueueUrl, ReceiptHandle })
    },
    async purge() {
      await aws.call('sqs', 'PurgeQueue', { QueueUrl })
    },
    /** Sends a message as the function does. */
    async send(body, group, id) {
      const message = { MessageBody: body, MessageGroupId: group, MessageDeduplicationId: id }
      await aws.call('sqs', 'SendMessage', { QueueUrl, ...message })
    },
    /** Returns the messages that are in the queue, visible or not. */
    async left() {
      const AttributeNames = ['All']
      const { Attributes } = await aws.call('sqs', 'GetQueueAttributes', {
        QueueUrl,
        AttributeNames,
      })
      const { ApproximateNumberOfMessages: seen, ApproximateNumberOfMessagesNotVisible: hidden } =
        Attributes
      return Number(seen) + Number(hidden)
    },
    eventOf: (messages) => sqsEvent(messages, `arn:aws:sqs:us-east-1:123456789012:${QUEUE}`),
  }
}
