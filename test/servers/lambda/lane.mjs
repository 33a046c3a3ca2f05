/** Lambda's part of the lane: the example under AWS's own runtime client, its data in moto. */
import assert from 'node:assert/strict'
import { MissingError } from '../../../tools/servers/missing.mjs'
import { lambdaRic } from '../../../tools/servers/lambda-ric.mjs'
import { withServers } from '../../../tools/servers/with-servers.mjs'
import { awsOf, readTemplate } from './aws.mjs'
import { buildExample } from './build-example.mjs'
import { checkEmulator } from './emulator.mjs'
import { checkExample } from './example.mjs'
import { checkLesson } from './lesson.mjs'
import { checkMemory } from './memory.mjs'
import { checkPolicies } from './policies.mjs'
import { checkRotation } from './rotation.mjs'
import { checkRuntime } from './runtime.mjs'

/** The stack of the template in moto: a key, the table with its stream, and the queue. */
async function setUp(aws) {
  await aws.begin()
  const { KeyMetadata } = await aws.call('kms', 'CreateKey', {})
  const template = readTemplate({})
  const { StreamSpecification, ...table } = template.table
  assert.equal(StreamSpecification.StreamViewType, 'NEW_IMAGE')
  const { TableDescription } = await aws.call('dynamodb', 'CreateTable', {
    ...table,
    TableName: 'cards',
    StreamSpecification: { ...StreamSpecification, StreamEnabled: true },
  })
  const { QueueUrl } = await aws.call('sqs', 'CreateQueue', { QueueName: 'orders' })
  const arns = { 'Key.Arn': KeyMetadata.Arn, 'Cards.Arn': TableDescription.TableArn }
  const env = {
    AWS_ENDPOINT_URL: aws.endpoint,
    KMS_KEY_ARN: KeyMetadata.Arn,
    TABLE_NAME: 'cards',
  }
  return {
    env,
    streamArn: TableDescription.LatestStreamArn,
    queueUrl: QueueUrl,
    queueArn: 'arn:aws:sqs:us-east-1:123456789012:orders',
    template: readTemplate(arns),
  }
}

/** The client needs a compiler, and a machine without one skips what it runs. */
function clientOr(report) {
  try {
    return lambdaRic()
  } catch (error) {
    if (!(error instanceof MissingError) || process.env['CI'] === 'true') throw error
    report.skip('lambda', error.message)
    return undefined
  }
}

/** @param {import('../lib/lane.mjs').LaneOptions} options */
export async function runLane({ report }) {
  const ric = clientOr(report)
  if (ric === undefined) return
  const built = buildExample()
  const check = (name, work) => report.check(`lambda ${name}`, work)
  await checkRuntime(check, { ric, root: built.functions })
  await withServers(['moto'], async ({ moto }, [missing]) => {
    if (missing !== undefined || moto === undefined) {
      report.skip('lambda/moto', missing?.reason ?? 'moto was not found')
      return
    }
    const aws = awsOf(moto.url)
    const world = { ...(await setUp(aws)), aws, ric, root: built.dist }
    await checkExample(check, world)
    await checkPolicies(check, world)
    await checkRotation(check, world)
    const skip = (name, why) => report.skip(`lambda ${name}`, why)
    await checkMemory(check, skip, world)
    await checkEmulator(check, skip, world)
    await checkLesson(check, world)
  })
}
