import type { Bytes } from '../../src/bytes/index.ts'
import type { Network } from '../../src/ports/index.ts'
import { webNetwork } from '../../src/runtime/index.ts'
import { parseAuthorization } from '../../adapters/fakes/aws/authorization.ts'
import { SignatureVerifier } from '../../adapters/fakes/aws/sigv4-verify.ts'

// As much of DynamoDB as the stores speak, behind one network: signatures, keys, conditions, pages.
// The servers lane runs the same contracts over moto, which confirms how DynamoDB behaves here.

type Attribute = Readonly<Record<string, string>>
type Item = Readonly<Record<string, Attribute>>

interface Input {
  readonly TableName: string
  readonly Key?: Item
  readonly Item?: Item
  readonly ConsistentRead?: boolean
  readonly Limit?: number
  readonly ConditionExpression?: string
  readonly KeyConditionExpression?: string
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>
  readonly ExpressionAttributeValues?: Item
}

/** The answer in place of the operation; `cut`: the operation is done, and the answer is lost. */
export type FakeDynamoDbFault = { readonly status: number; readonly name: string } | 'cut' | 'hang'

/** A table, and what reached it. */
export interface FakeDynamoDb {
  readonly network: Network
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly items: Map<string, Item>
  readonly asked: { readonly action: string; readonly input: Input }[]
  /** The answer of `DescribeTable`. */
  description: unknown
  /** For the next operation alone. */
  fault: FakeDynamoDbFault | undefined
  /** Items in one page of a query, whatever its limit. */
  pageSize: number
}

/** How a table is described whose keys are ours. */
export const ourTable = {
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  AttributeDefinitions: [
    { AttributeName: 'sk', AttributeType: 'S' },
    { AttributeName: 'pk', AttributeType: 'S' },
  ],
}

class Refused extends Error {}

/** An empty table of this name. */
export function fakeDynamoDb(table: string): FakeDynamoDb {
  const credentials = { accessKeyId: 'AKIAFAKE', secretAccessKey: 'secret-of-the-fake' }
  const verifier = new SignatureVerifier()
  const fake: FakeDynamoDb = {
    credentials,
    items: new Map(),
    asked: [],
    description: ourTable,
    fault: undefined,
    pageSize: Infinity,
    network: {
      ...webNetwork,
      fetch: (url, init) => answerTo(new Request(url, init)),
    },
  }

  async function answerTo(request: Request): Promise<Response> {
    const body: Bytes = new Uint8Array(await request.clone().arrayBuffer())
    const headers = new Headers(request.headers)
    const url = new URL(request.url)
    headers.set('host', url.host)
    const received = { method: request.method, url, headers, body }
    const authorization = parseAuthorization(received)
    const isRight =
      authorization.service === 'dynamodb' &&
      authorization.accessKeyId === credentials.accessKeyId &&
      (await verifier.matches(received, authorization, credentials))
    if (!isRight) return refusal(400, 'UnrecognizedClientException')
    const action = headers.get('x-amz-target')?.split('.')[1] ?? ''
    const input = JSON.parse(await request.text()) as Input
    fake.asked.push({ action, input })
    const { fault } = fake
    fake.fault = undefined
    if (fault === 'hang') return new Promise(() => undefined)
    if (typeof fault === 'object') return refusal(fault.status, fault.name)
    if (input.TableName !== table) return refusal(400, 'ResourceNotFoundException')
    try {
      const answer = operate(fake, action, input)
      if (fault === 'cut') throw new TypeError('connection reset')
      return Response.json(answer)
    } catch (error) {
      if (error instanceof Refused) return refusal(400, error.message)
      throw error
    }
  }

  return fake
}

/** As AWS does, with words that hold what was sent. */
function refusal(status: number, name: string): Response {
  const __type = `com.amazonaws.dynamodb.v20120810#${name}`
  return Response.json({ __type, message: 'words with a secret-value in them' }, { status })
}

function operate(fake: FakeDynamoDb, action: string, input: Input): unknown {
  const { items } = fake
  switch (action) {
    case 'DescribeTable':
      return { Table: fake.description }
    case 'GetItem': {
      if (input.ConsistentRead !== true) return {} // it may be an older state: here, the oldest
      const found = items.get(nameOf(input.Key))
      return found === undefined ? {} : { Item: found }
    }
    case 'PutItem': {
      const name = nameOf(input.Item)
      if (!holds(input, items.get(name))) throw new Refused('ConditionalCheckFailedException')
      items.set(name, structuredClone(input.Item ?? {}))
      return {}
    }
    case 'DeleteItem':
      items.delete(nameOf(input.Key))
      return {}
    case 'Query':
      return query(fake, input)
    default:
      throw new Refused('UnknownOperationException')
  }
}

function nameOf(item: Item | undefined): string {
  const [pk, sk] = [item?.['pk']?.['S'], item?.['sk']?.['S']]
  if (pk === undefined || sk === undefined) throw new Refused('ValidationException')
  return `${pk}\u0000${sk}`
}

/** `pk = :pk AND sk > :after`, and no other. */
function query({ items, pageSize }: FakeDynamoDb, input: Input): unknown {
  const { ':pk': pk, ':after': after } = input.ExpressionAttributeValues ?? {}
  if (input.KeyConditionExpression !== 'pk = :pk AND sk > :after') {
    throw new Refused('ValidationException')
  }
  const limit = Math.min(input.Limit ?? Infinity, pageSize)
  const all = [...items.values()]
    .filter((item) => item['pk']?.['S'] === pk?.['S'])
    .flatMap((item) => item['sk']?.['S'] ?? [])
    .filter((sk) => sk > (after?.['S'] ?? ''))
    .sort()
  const page = all.slice(0, limit).map((sk) => ({ sk: { S: sk } }))
  const goesOn = page.length === limit
  return { Items: page, ...(goesOn && { LastEvaluatedKey: { pk, sk: page.at(-1)?.sk } }) }
}

/** A condition of the stores: terms with AND, or with OR. */
function holds(input: Input, item: Item | undefined): boolean {
  const { ConditionExpression: condition } = input
  if (condition === undefined) return true
  const { ExpressionAttributeNames: names = {}, ExpressionAttributeValues: values = {} } = input
  const used = new Set<string>()
  const term = (text: string): boolean => {
    const absent = /^attribute_not_exists\((\w+)\)$/.exec(text)?.[1]
    if (absent !== undefined) return item?.[absent] === undefined
    const [, name = '', sign, value = ''] = /^(#\w+) (=|<=|>) (:\w+)$/.exec(text) ?? []
    used.add(name).add(value)
    const held = item?.[names[name] ?? '']
    const given = values[value]
    if (names[name] === undefined || given === undefined) throw new Refused('ValidationException')
    if (held === undefined) return false
    if (sign === '=') return JSON.stringify(held) === JSON.stringify(given)
    const difference = Number(held['N']) - Number(given['N'])
    return sign === '>' ? difference > 0 : difference <= 0
  }
  const results = condition.split(/ (?:AND|OR) /).map(term)
  // DynamoDB refuses names and values that no expression uses.
  if ([...Object.keys(names), ...Object.keys(values)].some((one) => !used.has(one))) {
    throw new Refused('ValidationException')
  }
  return condition.includes(' OR ') ? results.some(Boolean) : results.every(Boolean)
}
