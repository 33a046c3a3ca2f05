/** A rotation's source on DynamoDB: any table, against moto. */
import assert from 'node:assert/strict'
import { isKmsError } from '../../../src/errors.ts'
import { dynamoDbSource } from '../../../src/rotation/sources/index.ts'
import { recordSourceContract } from '../../../src/testing/index.ts'

let tables = 0
let last = 9_007_199_254_740_993n

const attributeOf = (value) => {
  if (value === null) return { NULL: true }
  return typeof value === 'string' ? { S: value } : { B: value }
}

/** A table of its own; `keys` are names and types, e.g. `{ pk: 'S' }`. */
async function createTable(ask, keys) {
  const TableName = `source-${++tables}`
  await ask('CreateTable', {
    TableName,
    KeySchema: Object.keys(keys).map((AttributeName, at) => {
      return { AttributeName, KeyType: at === 0 ? 'HASH' : 'RANGE' }
    }),
    AttributeDefinitions: Object.entries(keys).map(([AttributeName, AttributeType]) => {
      return { AttributeName, AttributeType }
    }),
    BillingMode: 'PAY_PER_REQUEST',
  })
  return TableName
}

/** @returns {import('../../../src/testing/index.ts').RecordSourceSubject} */
function subjectOf(options, ask, keys) {
  const names = Object.keys(keys)
  const keyOf = (id) => {
    const parts = names.length === 1 ? [id] : JSON.parse(id)
    return Object.fromEntries(names.map((name, at) => [name, { [keys[name]]: parts[at] }]))
  }
  const create = async () => {
    const TableName = await createTable(ask, keys)
    // `value` is a reserved word.
    const place = { ...options, table: TableName, values: ['value', 'n.o-t e'] }
    return {
      source: dynamoDbSource(place),
      async put(id, values) {
        const pairs = Object.entries(values).map(([name, value]) => [name, attributeOf(value)])
        await ask('PutItem', { TableName, Item: { ...keyOf(id), ...Object.fromEntries(pairs) } })
      },
      delete: (id) => ask('DeleteItem', { TableName, Key: keyOf(id) }),
      failing: () => dynamoDbSource({ ...place, endpoint: 'http://127.0.0.1:9' }),
    }
  }
  return { fields: { value: 'bytes', 'n.o-t e': 'text' }, create }
}

const walk = async (source, limit) => {
  const pages = []
  let cursor
  do {
    const page = await source.page(cursor, limit, {})
    pages.push(page.records)
    ;({ cursor } = page)
  } while (cursor !== undefined)
  return pages
}

async function checkTables(check, options, ask) {
  const TableName = await createTable(ask, { pk: 'S' })
  for (let at = 0; at < 40; at++) {
    const Item = { pk: { S: `item-${at}` }, kind: { N: String(at) }, tags: { SS: ['a'] } }
    if (at % 10 === 0) Item.card = { S: `card ${at}` }
    await ask('PutItem', { TableName, Item })
  }
  const common = { ...options, table: TableName, values: ['card'] }
  await check('a filtered page is empty, and the walk goes on', async () => {
    const pages = await walk(dynamoDbSource({ ...common, skipOthers: true }), 3)
    assert.equal(pages.flat().length, 4)
    assert.ok(pages.slice(0, -1).some((records) => records.length === 0))
  })
  await check('segments hold each item once', async () => {
    const parts = [0, 1, 2, 3].map((at) => dynamoDbSource({ ...common, segment: [at, 4] }))
    assert.equal(new Set(parts.map(({ name }) => name)).size, 4)
    const ids = (await Promise.all(parts.map((source) => walk(source, 5))))
      .flat(2)
      .map(({ id }) => id)
    assert.equal(ids.length, 40)
    assert.equal(new Set(ids).size, 40)
  })
  await check('facts arrive as text, and what is not a message as JSON', async () => {
    const source = dynamoDbSource({ ...common, values: ['kind'], facts: ['pk', 'card', 'tags'] })
    const [record] = await source.read(['item-10'], {})
    assert.deepEqual(record, {
      id: 'item-10',
      values: { kind: '{"N":"10"}' },
      facts: { pk: 'item-10', card: 'card 10', tags: '{"SS":["a"]}' },
    })
  })
  await check('an item above 400 KB is refused with the reason', async () => {
    const change = { id: 'item-0', field: 'card', expected: 'card 0', next: 'x'.repeat(410_000) }
    await assert.rejects(dynamoDbSource(common).swap([change], {}), (error) => {
      assert.ok(isKmsError(error, 'ERR_KMS_CONFIG'))
      assert.match(error.message, /400 KB/)
      return true
    })
  })
}

/**
 * @param {(what: string, work: () => Promise<void>) => Promise<void>} check
 * @param {object} options - of `dynamoDbSource`, without table and values
 * @param {(operation: string, input: object) => Promise<any>} ask - AWS's own client
 */
export async function checkSources(check, options, ask) {
  const newId = () => JSON.stringify([`te"na\\nt ${last % 3n}`, String((last += 1n))])
  const subjects = {
    text: subjectOf(options, ask, { pk: 'S' }),
    'text and number': {
      ...subjectOf(options, ask, { tenant: 'S', number: 'N' }),
      newId,
      without: { textIds: 'a part of the key is a number' },
    },
  }
  for (const [label, subject] of Object.entries(subjects)) {
    for (const { name, run, skip } of recordSourceContract(subject)) {
      if (skip === undefined) await check(`source by ${label}: ${name}`, run)
    }
  }
  await checkTables((what, work) => check(`source: ${what}`, work), options, ask)
}
