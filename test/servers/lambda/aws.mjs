/** The lane's use of moto: signed calls, the stack of the template, and one user for each function. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { AwsClient } from 'aws4fetch'
import { ensureFolder, root } from '../../../tools/lib/folders.mjs'

const region = 'us-east-1'

/** The services' names in a signature and in `X-Amz-Target`. */
const services = {
  kms: { target: 'TrentService', type: '1.1' },
  dynamodb: { target: 'DynamoDB_20120810', type: '1.0' },
  streams: { target: 'DynamoDBStreams_20120810', type: '1.0', sign: 'dynamodb' },
  sqs: { target: 'AmazonSQS', type: '1.0' },
}

const all = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
})

const between = (text, tag) => new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(text)?.[1] ?? ''

/**
 * A policy of these statements as moto knows them: it has neither conditions nor resources, and one name for the two
 * halves of a ReEncrypt.
 */
export const policyOf = (statements) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: statements.map(({ Effect, Action }) => ({
      Effect,
      Action: [Action]
        .flat()
        .flatMap((name) => (name.startsWith('kms:ReEncrypt') ? [name, 'kms:ReEncrypt'] : name)),
      Resource: '*',
    })),
  })

export function awsOf(endpoint) {
  let credentials = { accessKeyId: 'AKIASETUP', secretAccessKey: 'unchecked' }

  const send = async (service, headers, body) => {
    const client = new AwsClient({ ...credentials, region, service, retries: 0 })
    const answer = await client.fetch(endpoint, { method: 'POST', headers, body })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${service} answered ${answer.status}: ${text.slice(0, 300)}`)
    return text
  }
  const iam = (Action, fields) => {
    const body = String(new URLSearchParams({ Action, Version: '2010-05-08', ...fields }))
    return send('iam', { 'content-type': 'application/x-www-form-urlencoded' }, body)
  }
  const call = async (name, operation, input) => {
    const { target, type, sign = name } = services[name]
    const headers = {
      'content-type': `application/x-amz-json-${type}`,
      'x-amz-target': `${target}.${operation}`,
    }
    return JSON.parse((await send(sign, headers, JSON.stringify(input))) || '{}')
  }
  /**
   * A user with this policy alone. Returns the variables of its credentials. moto checks a signature over a form
   * in an encoding of its own, so it lets these three calls pass unchecked.
   */
  const userWith = async (UserName, PolicyDocument) => {
    const init = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '3' }
    await (await fetch(`${endpoint}/moto-api/reset-auth`, init)).arrayBuffer()
    await iam('CreateUser', { UserName })
    await iam('PutUserPolicy', { UserName, PolicyName: 'p', PolicyDocument })
    const key = await iam('CreateAccessKey', { UserName })
    return {
      AWS_ACCESS_KEY_ID: between(key, 'AccessKeyId'),
      AWS_SECRET_ACCESS_KEY: between(key, 'SecretAccessKey'),
    }
  }
  return {
    endpoint,
    call,
    userWith,
    async begin() {
      const admin = await userWith('admin', all)
      credentials = {
        accessKeyId: admin.AWS_ACCESS_KEY_ID,
        secretAccessKey: admin.AWS_SECRET_ACCESS_KEY,
      }
    },
  }
}

/** The template's policies and table, with the ARNs of this run instead of its references. */
export function readTemplate(arns, example = 'lambda') {
  const folder = ensureFolder(`../examples/${example}`)
  const { parse } = createRequire(join(folder, 'package.json'))('yaml')
  const attribute = (value) => arns[value] ?? value
  const customTags = ['!GetAtt', '!Ref', '!Sub'].map((tag) => ({ tag, resolve: attribute }))
  const text = readFileSync(join(root, 'examples', example, 'template.yaml'), 'utf8')
  const { Resources } = parse(text, { customTags })
  return {
    resources: Resources,
    table: Resources.Cards?.Properties,
    statementsOf: (name) => Resources[name].Properties.Policies[0].Statement,
    handlers: Object.entries(Resources)
      .filter(([, { Type }]) => Type === 'AWS::Serverless::Function')
      .map(([name, { Properties }]) => ({ name, ...Properties })),
  }
}
